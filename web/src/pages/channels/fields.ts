export interface Field {
  name: string;
  secret?: boolean;
  required?: boolean;
  placeholder?: string;
  /** Lines of text in a box. */
  lines?: number;
  /** One of these; the first is what the server takes when none is given. */
  among?: readonly string[];
}

// What each kind of channel asks for. A secret that was stored reads as
// ********; sent back like that, the server keeps it.
export const FIELDS = {
  alimtalk: [
    { name: 'app_key', required: true },
    { name: 'secret_key', secret: true, required: true },
    { name: 'sender_key', secret: true, required: true },
    { name: 'template_code', required: true, placeholder: 'matrix-incident' },
    { name: 'recipients', required: true, placeholder: '010-1234-5678, 010-8765-4321' },
    { name: 'variables', required: true, lines: 3, placeholder: '제목={subject}\n내용={summary}\n링크={link}' },
  ],
  console: [],
  email: [
    { name: 'host', required: true, placeholder: 'smtp.example.com' },
    { name: 'security', among: ['starttls', 'tls', 'none'] },
    { name: 'port', placeholder: '587' },
    { name: 'username', placeholder: 'matrix@example.com' },
    { name: 'password', secret: true },
    { name: 'from', required: true, placeholder: 'MATRIX <matrix@example.com>' },
    { name: 'to', required: true, placeholder: 'ops@example.com, ann@example.com' },
  ],
  kakaowork: [
    { name: 'app_key', secret: true, required: true },
    { name: 'conversation_id', placeholder: '123456' },
    { name: 'email', placeholder: 'ann@example.com' },
  ],
  opsgenie: [
    { name: 'api_key', secret: true, required: true },
    { name: 'region', among: ['us', 'eu'] },
  ],
  pagerduty: [
    { name: 'routing_key', secret: true, required: true },
    { name: 'region', among: ['us', 'eu'] },
  ],
  slack: [
    { name: 'token', secret: true, placeholder: 'xoxb-…' },
    { name: 'channel', placeholder: '#ops' },
    { name: 'signing_secret', secret: true },
    { name: 'webhook_url', secret: true, placeholder: 'https://hooks.slack.com/services/…' },
  ],
  teams: [{ name: 'webhook_url', secret: true, required: true, placeholder: 'https://….logic.azure.com/…' }],
  telegram: [
    { name: 'token', secret: true, required: true, placeholder: '123456:ABC…' },
    { name: 'chat_id', required: true, placeholder: '-1001234567890' },
  ],
  webhook: [
    { name: 'url', required: true, placeholder: 'https://' },
    { name: 'secret', secret: true, required: true },
    { name: 'template', lines: 4, placeholder: '{"text": "{{subject}} {{link}}"}' },
    { name: 'content_type', among: ['application/json', 'text/plain'] },
  ],
} as const satisfies Record<string, readonly Field[]>;

export type Kind = keyof typeof FIELDS;

/** The fields of a kind; none for one that this page does not know yet. */
export const fieldsOf = (kind: string): readonly Field[] => (kind in FIELDS ? FIELDS[kind as Kind] : []);

/** The kinds whose users write a template, which can be looked at before it is used. */
export const PREVIEWED: readonly string[] = ['webhook', 'alimtalk'];

/** The kinds that can also carry messages to single people. */
export const CARRIERS = ['alimtalk', 'email', 'kakaowork', 'slack', 'telegram'];
