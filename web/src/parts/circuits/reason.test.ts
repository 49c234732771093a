import { describe, expect, it } from 'vitest';
import { readReason } from './reason.ts';

describe('the reason of an open circuit', () => {
  it('is read as the server says it', () => {
    expect(readReason('6 of 10 calls failed within a minute, the last: rate_limited')).toEqual({
      why: 'failed',
      failures: 6,
      calls: 10,
      last: 'rate_limited',
    });
    expect(readReason('it was tried again and failed: timeout')).toEqual({ why: 'tried', last: 'timeout' });
    expect(readReason('opened by kim')).toEqual({ why: 'by', name: 'kim', reason: '' });
    expect(readReason('opened by kim: maintenance: until ten')).toEqual({
      why: 'by',
      name: 'kim',
      reason: 'maintenance: until ten',
    });
  });

  it('is told as it is when it is another', () => {
    expect(readReason('somebody pulled the plug')).toEqual({ why: 'said', text: 'somebody pulled the plug' });
  });
});
