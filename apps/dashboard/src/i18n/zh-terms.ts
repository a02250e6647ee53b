import type { CounterName } from "@nodepass/model";
import type { UrlProblem, UrlProblemCode } from "@nodepass/url-config";

/** What parameters mean; the table of url-config has them in English. */
export const zhParameters: Readonly<Record<string, string>> = {
  log: "最低日志级别；event 只显示检查点，none 不显示任何内容",
  tls: "0 不使用 TLS，1 内存中生成的自签名证书，2 使用 crt 和 key 的证书",
  crt: "tls=2 的 PEM 证书文件",
  key: "tls=2 的 PEM 私钥文件",
  min: "连接池最少空闲连接数（双端）",
  max: "连接池最多空闲连接数；会告知客户端",
  mode: "服务端：0 自动，1 反向，2 正向；客户端：0 自动，1 单端，2 双端",
  read: "转发的连接在这段时间内没有数据就关闭；0 = 永不",
  rate: "整个实例每个方向的 Mbit/s，或 上行/下行；0 = 不限",
  rateconn: "每个连接每个方向的 Mbit/s；0 = 不限",
  proxy: "向目标发送 PROXY 协议头：1 或 2 为其版本",
  trust: "这些代理的 PROXY 协议头在用户端口上说明用户是谁",
  allow: "只允许这些地址：作为用户、到隧道端口、到 API",
  deny: "拒绝这些地址，无论 allow 如何",
  ban: "1 = 证明失败的地址在隧道端口上暂时被拒绝",
  sticky: "1 = 同一地址的用户总到同一目标，只要它可用",
  slotip: "同一地址（IPv6 按 /64）的最大连接与 UDP 会话数；0 = 不限",
  udpidle: "没有流量的 UDP 会话在此之后结束；0 = NP_UDP_READ_TIMEOUT",
  quota: "双向合计的最大字节数；由主控计数，用完后停止实例",
  quotaday: "每月配额重新开始的日期，UTC",
  host: "在多个实例共用的用户端口上，按用户请求的名称（SNI、HTTP Host）接收",
  slot: "TCP 连接与 UDP 会话合计的最大并发数；0 = 不限",
  dns: "域名解析结果的保留时间；0 = 每次连接都查询",
  sni: "TLS 和握手使用的服务器名称；none = 隧道地址的主机名",
  dial: "连接目标时使用的本地 IP 地址",
  block: "关闭以此开头的连接：1 SOCKS，2 HTTP，3 TLS",
  notcp: "1 = 不承载 TCP",
  noudp: "1 = 不承载 UDP",
  type: "连接池类型：0 TCP，1 QUIC，2 WebSocket，3 HTTP/2；会告知客户端；1 和 3 会把 tls=0 变为 tls=1",
  clients: "可同时连接此隧道的客户端数，每个客户端一个会话",
  lbs: "下一个用户归多个目标或客户端中的哪一个：0 轮流，1 延迟最低，2 第一个可用的",
  lanes: "多个用户共用的池连接数；会告知客户端；0 = 每个用户单独一个",
  path: "握手以及 WebSocket 或 HTTP/2 连接池的 HTTP 路径，两端相同",
  front: "在服务端之前（nginx、CDN）终止的 TLS：0 无，1 任何证书，2 验证证书",
  via: "通过代理连接：服务端（双端）或 TCP 目标（单端）；env = HTTPS_PROXY、ALL_PROXY、NO_PROXY",
  compat: "0 = 拒绝无法证明身份的对端（NodePass 1.14 节点）",
};

/** What is counted; the model has it in English. */
export const zhCounters: Readonly<Record<CounterName, string>> = {
  ping: "到对端的往返时间（毫秒）",
  pool: "就绪的池连接",
  tcps: "当前 TCP 连接",
  udps: "当前 UDP 会话",
  tcprx: "从用户或目标读取的 TCP 字节",
  tcptx: "写给用户或目标的 TCP 字节",
  udprx: "从用户或目标读取的 UDP 字节",
  udptx: "写给用户或目标的 UDP 字节",
  udpDropped: "丢弃的数据报",
  accepted: "接受的用户 TCP 连接",
  failed: "没有可达目标的 TCP 连接",
  refusedSlot: "被拒绝的用户连接：没有空位",
  refusedSlotip: "被拒绝的用户连接：其地址没有空位",
  refusedBlocked: "被拒绝的用户连接：协议被屏蔽",
  refusedPeer: "被拒绝的用户连接：没有对端或池连接",
  refusedDenied: "被拒绝的连接：其地址不允许（也包括隧道端口）",
  refusedBanned: "被拒绝的连接：其地址被封禁（隧道端口）",
  refusedName: "被拒绝的用户连接：没有人提供所请求的名称",
  refusedProxied: "被拒绝的用户连接：受信代理没有说明属于谁",
  dialErrors: "无法连接的目标次数",
  handshakesRefused: "被拒绝的对端握手",
  reconnects: "启动后的重连次数",
};

const parts: Readonly<Record<string, string>> = {
  URL: "URL",
  scheme: "协议",
  fragment: "片段（#）",
  "tunnel key": "隧道密钥",
  "tunnel address": "隧道地址",
  "target address": "目标地址",
  "listen address": "监听地址",
};

const faults: Readonly<Record<UrlProblemCode, string>> = {
  MALFORMED: "格式不正确",
  UNKNOWN_SCHEME: "不是已知的协议",
  UNKNOWN_PARAMETER: "不是已知的参数",
  INVALID_VALUE: "无效",
  MISSING: "缺失",
  DUPLICATE: "重复",
  LOOP: "会形成环路",
  UNSUPPORTED: "不支持",
  NO_EFFECT: "不起作用",
};

/** What is wrong with a URL. */
export function zhProblem({ code, parameter, value, allowed }: UrlProblem): string {
  const shown = value === "" ? "" : ` “${value}”`;
  const rest = allowed === "" ? "" : `（允许：${allowed}）`;
  return `${parts[parameter] ?? parameter}${shown} ${faults[code]}${rest}`;
}
