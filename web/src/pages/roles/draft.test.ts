import { describe, expect, it } from 'vitest';
import { EMPTY, editIn } from './draft.ts';

describe('a role that is sent', () => {
  it('has nothing in it that was cleared again', () => {
    const edit = editIn({
      edit: {
        system_message: 'Be brief.',
        parameters: { temperature: 0, top_p: undefined, stop: [], reasoning_effort: '' },
        chain: [
          {
            provider: 'a',
            model: 'b',
            timeout_ms: 0,
            between_ms: 0,
            fall_through: [],
            parameters: { seed: undefined },
          },
          {
            provider: 'a',
            model: 'c',
            timeout_ms: 0,
            first_token_ms: 900,
            fall_through: ['timeout'],
            parameters: { seed: 0 },
          },
        ],
      },
      format: ' ',
      masking: EMPTY.masking,
    });
    expect(JSON.parse(JSON.stringify(edit))).toEqual({
      system_message: 'Be brief.',
      parameters: { temperature: 0 },
      masking: {},
      chain: [
        { provider: 'a', model: 'b', timeout_ms: 0 },
        {
          provider: 'a',
          model: 'c',
          timeout_ms: 0,
          first_token_ms: 900,
          fall_through: ['timeout'],
          parameters: { seed: 0 },
        },
      ],
    });
  });

  it('is nothing while its format cannot be used', () => {
    expect(editIn({ ...EMPTY, format: '{}' })).toBeUndefined();
    expect(editIn({ ...EMPTY, format: '{"type":"json_schema","name":"a","schema":{}}' })?.response_format).toEqual({
      type: 'json_schema',
      name: 'a',
      schema: {},
    });
  });
});
