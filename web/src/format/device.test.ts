import { describe, expect, it } from 'vitest';
import { device } from './device.ts';

describe('a device', () => {
  it('is told by its browser and its system', () => {
    const f = (agent: string, want: string) => expect(device(agent)).toBe(want);
    f(
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
      'Chrome 131 · macOS',
    );
    f(
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0',
      'Edge 131 · Windows',
    );
    f(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
      'Safari 18 · iPhone',
    );
    f(
      'Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36',
      'Samsung Internet 27 · Android',
    );
    f('Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'Firefox 133 · Linux');
    f('curl/8.5.0', 'curl 8');
  });

  it('that nobody knows is told as it was sent', () => {
    expect(device('Something/1.0')).toBe('Something/1.0');
    expect(device('')).toBe('');
  });
});
