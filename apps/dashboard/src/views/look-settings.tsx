import { LANGUAGES, language, texts } from "../i18n/index.ts";
import { Icon } from "../parts/icon.tsx";
import { THEMES, theme } from "../state/preferences.ts";

const icons = { system: "auto", light: "sun", dark: "moon" } as const;

/** Language and colours. */
export function LookSettings() {
  const t = texts();
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
  return (
    <div class="look">
      <button
        type="button"
        class="ghost"
        aria-label={t.themes.label(t.themes[theme.value])}
        title={t.themes.label(t.themes[theme.value])}
        onClick={() => {
          theme.value = next;
        }}
      >
        <Icon name={icons[theme.value]} />
      </button>
      <label class="language">
        <Icon name="globe" />
        <span class="sr">{t.language}</span>
        <select
          value={language.value}
          onChange={({ currentTarget }) => {
            const chosen = LANGUAGES.find((each) => each === currentTarget.value);
            if (chosen !== undefined) language.value = chosen;
          }}
        >
          <option value="en">English</option>
          <option value="zh" lang="zh-CN">
            中文
          </option>
        </select>
      </label>
    </div>
  );
}
