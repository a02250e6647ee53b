import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { repositoryLinks } from "./repository-links.ts";
import { rewrites } from "./rewrites.ts";

const repository = new URL("../..", import.meta.url);
const packages = readdirSync(new URL("packages", repository)).sort();

/** Words of Chinese are not set apart; the function goes to the browser, so it has to be whole. */
function tokenize(text: string): string[] {
  const words = new Intl.Segmenter("zh", { granularity: "word" }).segment(text.toLowerCase());
  return Array.from(words)
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment);
}

/** The documents of the repository as they are, as a site. */
export default defineConfig({
  title: "NodePass",
  description: "A TCP and UDP tunnel whose two ends keep a pool of ready connections",
  srcDir: "..",
  // The Chinese README is in docs/zh/index.md: the search knows a page's language by its folder.
  srcExclude: ["**/node_modules/**", "**/dist/**", "bench/**", "**/test/**", "README.zh.md"],
  head: [["link", { rel: "icon", href: "data:," }]],
  rewrites,
  cleanUrls: true,
  lastUpdated: false,
  markdown: { config: repositoryLinks, languageAlias: { haproxy: "nginx", caddy: "nginx" } },
  vite: {
    // Pages are made of files above this folder, where Vue is not.
    resolve: {
      alias: {
        "vue/server-renderer": fileURLToPath(import.meta.resolve("vue/server-renderer")),
        vue: fileURLToPath(import.meta.resolve("vue/dist/vue.runtime.esm-bundler.js")),
      },
    },
  },
  themeConfig: {
    search: {
      provider: "local",
      options: {
        miniSearch: { options: { tokenize } },
        locales: {
          zh: {
            translations: {
              button: { buttonText: "搜索", buttonAriaLabel: "搜索文档" },
              modal: {
                displayDetails: "显示详情",
                noResultsText: "没有找到",
                resetButtonTitle: "清除",
                backButtonTitle: "关闭",
                footer: { selectText: "打开", navigateText: "切换", closeText: "关闭" },
              },
            },
          },
        },
      },
    },
    socialLinks: [{ icon: "github", link: "https://github.com/NodePassProject/nodepass-ts" }],
  },
  locales: {
    root: {
      label: "English",
      lang: "en",
      themeConfig: {
        outline: { level: [2, 3] },
        sidebar: [
          {
            text: "Start",
            items: [
              { text: "A tunnel in one minute", link: "/" },
              { text: "The command line", link: "/apps/cli" },
              { text: "A master", link: "/apps/master" },
              { text: "Running as a service", link: "/deploy" },
            ],
          },
          {
            text: "At work",
            items: [
              { text: "The dashboard", link: "/dashboard" },
              { text: "Operations", link: "/operations" },
              { text: "A fleet", link: "/fleet" },
              { text: "When its engine is lost", link: "/fleet-recovery" },
              { text: "Metrics", link: "/metrics" },
              { text: "Agents (MCP)", link: "/mcp" },
              { text: "Many to many", link: "/many-to-many" },
              { text: "Limits", link: "/limits" },
              { text: "Proxies", link: "/proxies" },
              { text: "Errors", link: "/errors" },
              { text: "Security", link: "/security" },
              { text: "Performance", link: "/performance" },
            ],
          },
          {
            text: "Inside",
            items: [
              { text: "Architecture", link: "/architecture" },
              { text: "Protocol", link: "/protocol" },
              { text: "Changes", link: "/changelog" },
            ],
          },
          {
            text: "Packages",
            collapsed: true,
            items: packages.map((name) => ({ text: name, link: `/packages/${name}` })),
          },
        ],
      },
    },
    zh: {
      label: "简体中文",
      lang: "zh-CN",
      description: "两端维持一池就绪连接的 TCP 与 UDP 隧道",
      themeConfig: {
        outline: { level: [2, 3], label: "本页内容" },
        docFooter: { prev: "上一页", next: "下一页" },
        darkModeSwitchLabel: "外观",
        lightModeSwitchTitle: "浅色",
        darkModeSwitchTitle: "深色",
        sidebarMenuLabel: "目录",
        returnToTopLabel: "回到顶部",
        langMenuLabel: "语言",
        sidebar: [
          {
            text: "开始",
            items: [
              { text: "一分钟建立隧道", link: "/zh/" },
              { text: "命令行", link: "/zh/cli" },
              { text: "作为服务运行", link: "/zh/deploy" },
              { text: "监控指标", link: "/zh/metrics" },
            ],
          },
        ],
      },
    },
  },
});
