import type { DescriptionWords } from "@nodepass/url-config";

/** The sentences of a description in Chinese. */
export const zhWords: DescriptionWords = {
  list: (texts) => texts.join("、"),
  noAddress: "没有地址",
  freePort: "一个空闲端口",
  port: (port) => `端口 ${port}`,
  allInterfaces: (port) => `所有网卡的${port}`,
  weight: (target, turns) => `${target}（${turns} 份）`,
  targets: (all, lbs, sticky) => {
    if (sticky) return `${all}（同一地址的用户总到同一目标）`;
    return `${all}（${["轮流", "最快者优先", "第一个可用的"][lbs ?? 0]}）`;
  },
  server: {
    role: (tunnel) => `隧道服务端，客户端连接到${tunnel}。`,
    auto: (address, exit) =>
      `自动模式：如果本机能监听 ${address}，用户连接到本端，由客户端去连接服务（反向）；否则用户连接到客户端，由本端连接 ${exit}（正向）。`,
    reverse: (entry) => `反向：用户连接到本端的 ${entry}，由客户端去连接服务。`,
    forward: (exit) => `正向：用户连接到客户端，由本端连接 ${exit}。`,
    clients: (count) => `最多 ${count} 个客户端可同时连接此隧道`,
    usersAtEach: (some) => `${some}，用户可连接到其中任意一个。`,
    nextUser: (some, lbs, onlyReverse) => {
      const next = ["轮流选择的客户端", "延迟最低的客户端", "最先到来且仍在的客户端"];
      const chosen = lbs === undefined ? "连接最少的客户端" : next[lbs];
      return `${some}；${onlyReverse ? "反向模式下，" : ""}下一个用户转到${chosen}。`;
    },
    names: (names) =>
      `在用户端口上只接收请求 ${names} 的用户（SNI、HTTP Host），仅限 TCP；其余用户可归同一主控或文件中的其他服务端。`,
    bans: "证明失败的地址会在隧道端口上被拒绝 15 秒到 10 分钟。",
    noTls: "未启用 TLS：两端之间的流量在途中可以被读取。",
    selfSigned: "两端之间使用 TLS，证书在每次启动时生成。",
    certificate: (file) => `两端之间使用 TLS，证书来自 ${file}。`,
  },
  client: {
    single: (entry, exit) => `用户连接到本端的 ${entry}，每个连接直接转到 ${exit}，没有服务端`,
    dual: (server, exit, entry) =>
      `连接到服务端 ${server}。服务端为反向模式时，由本端连接 ${exit}；为正向模式时，用户连接到本端的 ${entry}`,
    auto: (address, single, dual) =>
      `自动模式的客户端。如果本机能监听 ${address}，它自己转发：${single}。否则它是隧道的客户端：${dual}。`,
    forwarder: (single) => `独立转发（单端）：${single}。`,
    tunnel: (dual) => `隧道客户端：${dual}。`,
    servers: (count, all) =>
      `它知道 ${count} 个服务端：${all}。反向模式的服务端会同时连接；正向模式的服务端只连接应答最好的一个，失去后换下一个。`,
    tls: "两端之间是否使用 TLS 由服务端决定。",
  },
  master: (listen, url) => `主控：通过 API 管理隧道，监听${listen}，位于 ${url}。`,
  dashboard: "面板位于 / 以及前缀之下。",
  noDashboard: "不提供面板。",
  traffic: {
    both: "承载 TCP 和 UDP。",
    tcp: "只承载 TCP。",
    udp: "只承载 UDP。",
    none: "TCP 和 UDP 都不承载。",
  },
  sameKey: "另一端需要相同的密钥。",
  derivedKey: (port) => `没有给出密钥；密钥由端口 ${port} 推导，因此另一端必须使用相同的端口。`,
  places: { users: "用户端口", peers: "隧道端口", api: "API" },
  onlyThese: (place, who) => `${place}只允许以下地址：${who}。`,
  notThese: (place, who) => `${place}拒绝以下地址：${who}。`,
  thoseIn: (file) => `文件 ${file} 中的地址`,
  limits: {
    idleForever: "连接无论空闲多久都保持打开。",
    idle: (time) => `${time} 内没有数据的连接会被关闭。`,
    rate: (up, down, each) => {
      const of = each ? "每个连接" : "总共";
      if (up === down) return `${of}每个方向最高 ${up} Mbit/s。`;
      const ways = [
        ...(up === 0 ? [] : [`从用户到目标 ${up} Mbit/s`]),
        ...(down === 0 ? [] : [`从目标到用户 ${down} Mbit/s`]),
      ];
      return `${of}最高${ways.join("，")}。`;
    },
    slot: (count) => `同时最多 ${count} 个连接和 UDP 会话。`,
    slotPerAddress: (count) => `其中来自同一地址的最多 ${count} 个（IPv6 按 /64 计）。`,
    quota: (quota, day) =>
      `在主控下，双向合计 ${quota}${day === undefined ? "" : `，从每月 ${day} 日起计（UTC）`}：到 80 % 和 95 % 时警告，用完后停止。在其他情况下不起作用。`,
    udpIdle: (time) => `${time} 内没有数据报的 UDP 会话会结束。`,
    proxy: (version) =>
      `目标会收到带有用户地址的 PROXY 协议 v${version} 头${version === 2 ? "，UDP 的每个数据报都有" : ""}。`,
    trust: (who) => `在用户端口上，来自 ${who} 的连接由 PROXY 协议头说明属于谁，且必须带有该头。`,
    block: (protocols) => `以 ${protocols} 开头的连接会被关闭。`,
    noOldPeers: "另一端为 NodePass 1.14 时会被拒绝。",
  },
  road: {
    tcp: "连接池为 TCP：每个连接各自独立。",
    quic: (port) =>
      `连接池为 QUIC：所有流量共用一个连接，使用端口 ${port} 的 UDP，握手另用 TCP；两端都必须安装 @nodepass/carrier-quic。`,
    webSocket: (path, scheme) =>
      `连接池为 WebSocket，路径 ${path}，与握手使用同一端口：客户端只需要一个 ${scheme} 地址。`,
    http2: (path) => `连接池为 TLS 上的 HTTP/2，路径 ${path}：所有流量共用一个连接。`,
    proxyInFront:
      "前置的反向代理必须以 HTTP/1.1 转发 Upgrade 和 Connection，不改动 Authorization 和 NodePass-… 字段，不缓冲，并允许 30 秒的静默（见 docs/proxies.md）。",
    proxyEndsTls: "如果 TLS 在该代理处终止，客户端需要 front=2（验证证书）或 front=1。",
    proxySpeaksTls:
      "代理到本端也必须使用 TLS；如果只想在代理上使用，本端设 tls=0，客户端设 front=2。",
    oldClientsPath: "NodePass 1.14 客户端只请求 /，找不到这个路径。",
    path: (path) => `握手和连接池请求的路径为 ${path}。`,
    front: (front) =>
      `TLS 在服务端前面的反向代理或 CDN 处终止：${front === 2 ? "会验证证书链和名称" : "接受任何证书"}。其运营者可以读取传输的内容；服务端的身份由密钥证明。`,
    via: (mode, server, targets, via) => {
      const forwarder = `TCP 目标（${targets}）`;
      const what = [`服务端 ${server}，或独立转发时的 ${forwarder}`, forwarder, `服务端 ${server}`][
        mode
      ];
      const how =
        via === "env"
          ? "通过 HTTPS_PROXY 或 ALL_PROXY 指定的代理（NO_PROXY 列出的主机除外）"
          : `通过 ${via.protocol === "http" ? "HTTP" : "SOCKS 5"} 代理 ${via.address}${via.hasPassword ? "（带用户名和密码）" : ""}`;
      return `${how}连接${what}；域名由代理解析。`;
    },
    noUdpByItself: "独立转发时不承载 UDP：代理无法到达 UDP 目标。",
    noQuicByProxy: "type=1（QUIC）的服务端无法通过代理到达。",
  },
  warnings: {
    quiet: "log=none：没有任何日志，也没有检查点",
    noTls: "tls=0：途中的任何人都能读取和修改流量；tls=1 代价很小",
    autoServer: "mode=0：由端口是否空闲决定行为；mode=1 总是反向，mode=2 总是正向",
    autoClient: "mode=0：由端口是否空闲决定行为；mode=1 总是单端，mode=2 总是隧道客户端",
    noEffect: (setting, why) => {
      const reasons: Readonly<Record<typeof why, string>> = {
        dialsElsewhere: "mode=1 时由客户端连接目标",
        usersElsewhere: "mode=2 时用户在客户端接入",
        noServer: "mode=1 时没有服务端",
        noTcp: "它用于 TCP，而 notcp=1",
        noUdp: "它用于 UDP，而 noudp=1",
        noFiles: "证书文件用于 tls=2",
        noMonth: "它用于带 /month 的配额",
        noChoice: "没有可选的",
      };
      return `${setting} 不起作用：${reasons[why]}`;
    },
    nothingCarried: "notcp=1 且 noudp=1：什么都不承载",
    noKey: (keygen) => `没有密钥：任何能到达隧道端口的人都能加入；用 ${keygen} 生成一个`,
    shortKey: (characters, keygen) =>
      `${characters} 个字符的密钥可能被猜到；用 ${keygen} 生成一个猜不到的`,
  },
};
