// What each client asks is a word that the test in Go answers: "text", "tools",
// "schema", "refuse" and "error".
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI, ApiError, FunctionCallingConfigMode } from '@google/genai'
import OpenAI from 'openai'

const base = process.env.FAKE_LLM
const key = process.env.FAKE_LLM_KEY
const answer = '한국어로 된 답 <&> "y"'
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: ['number', 'null'] } },
  required: ['city', 'degrees'],
  additionalProperties: false,
}
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const found = { city: '서울', degrees: 21 }

async function gather(stream, piece) {
  const pieces = []
  for await (const event of stream) {
    const text = piece(event)
    if (text) pieces.push(text)
  }
  assert.ok(pieces.length > 1, 'the answer came in one piece')
  return pieces.join('')
}

test('openai, chat completions', async (t) => {
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 })
  const ask = (content, more) => ({ model: 'gpt-4.1', messages: [{ role: 'system', content: 'be brief' }, { role: 'user', content }], ...more })
  await t.test('text', async () => {
    const got = await client.chat.completions.create(ask('text', { temperature: 0.2, max_completion_tokens: 50, stop: 'END', seed: 1 }))
    assert.equal(got.choices[0].message.content, answer)
    assert.equal(got.choices[0].finish_reason, 'stop')
    assert.equal(got.usage.prompt_tokens_details.cached_tokens, 30)
    assert.equal(got.usage.completion_tokens_details.reasoning_tokens, 5)
  })
  await t.test('streaming', async () => {
    const stream = await client.chat.completions.create(ask('text', { stream: true, stream_options: { include_usage: true } }))
    let usage
    const text = await gather(stream, (chunk) => {
      usage = chunk.usage ?? usage
      return chunk.choices[0]?.delta.content
    })
    assert.equal(text, answer)
    assert.equal(usage.total_tokens, 120)
  })
  await t.test('tools', async () => {
    const tools = [{ type: 'function', function: { name: 'weather', description: 'of a city', parameters, strict: true } }]
    const stream = client.chat.completions.stream(ask('tools', { tools, tool_choice: 'required' }))
    const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0]
    assert.equal(finish_reason, 'tool_calls')
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: '서울' })
    const next = ask('tools', { tools })
    const { id, type, function: { name, arguments: written } } = message.tool_calls[0] // without what the client parsed
    next.messages.push({ role: 'assistant', tool_calls: [{ id, type, function: { name, arguments: written } }] }, { role: 'tool', tool_call_id: id, content: '21' })
    assert.equal((await client.chat.completions.create(next)).choices[0].message.content, 'result 21')
  })
  await t.test('structured output', async () => {
    const got = await client.chat.completions.parse(ask('schema', { response_format: { type: 'json_schema', json_schema: { name: 'found', strict: true, schema } } }))
    assert.deepEqual(got.choices[0].message.parsed ?? JSON.parse(got.choices[0].message.content), found)
  })
  await t.test('errors', async () => {
    await assert.rejects(client.chat.completions.create(ask('error')), (e) => e instanceof OpenAI.RateLimitError && e.code === 'insufficient_quota' && e.headers.get('retry-after') === '7')
    await assert.rejects(new OpenAI({ baseURL: `${base}/v1`, apiKey: 'wrong', maxRetries: 0 }).chat.completions.create(ask('text')), OpenAI.AuthenticationError)
    await assert.rejects(client.chat.completions.create(ask('text', { top_q: 1 })), OpenAI.BadRequestError)
    const refused = await client.chat.completions.create(ask('refuse'))
    assert.equal(refused.choices[0].message.refusal, 'no')
  })
  await t.test('embeddings and models', async () => {
    const got = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 4 })
    assert.equal(got.data.length, 2)
    assert.ok(Math.abs(Math.hypot(...got.data[1].embedding) - 1) < 1e-6)
    assert.deepEqual((await client.models.list()).data.map((m) => m.id), ['gpt-4.1', 'claude-x'])
  })
})

test('openai, responses', async (t) => {
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 })
  const ask = (input, more) => ({ model: 'gpt-5', instructions: 'be brief', input, store: false, ...more })
  await t.test('text', async () => {
    const got = await client.responses.create(ask('text', { reasoning: { effort: 'low' }, max_output_tokens: 50 }))
    assert.equal(got.output_text, answer)
    assert.equal(got.usage.output_tokens_details.reasoning_tokens, 5)
  })
  await t.test('streaming', async () => {
    const stream = client.responses.stream(ask('text'))
    assert.equal(await gather(stream, (event) => event.type === 'response.output_text.delta' && event.delta), answer)
    assert.equal((await stream.finalResponse()).output_text, answer)
  })
  await t.test('tools', async () => {
    const tools = [{ type: 'function', name: 'weather', description: 'of a city', parameters, strict: true }]
    const got = await client.responses.stream(ask('tools', { tools, tool_choice: { type: 'function', name: 'weather' } })).finalResponse()
    const call = got.output.find((item) => item.type === 'function_call')
    assert.deepEqual(JSON.parse(call.arguments), { city: '서울' })
    const input = [{ role: 'user', content: 'tools' }, { type: 'function_call', call_id: call.call_id, name: call.name, arguments: call.arguments }, { type: 'function_call_output', call_id: call.call_id, output: '21' }]
    assert.equal((await client.responses.create(ask(input, { tools }))).output_text, 'result 21')
  })
  await t.test('structured output', async () => {
    const got = await client.responses.parse(ask('schema', { text: { format: { type: 'json_schema', name: 'found', strict: true, schema } } }))
    assert.deepEqual(got.output_parsed, found)
  })
  await t.test('errors', async () => {
    await assert.rejects(client.responses.create(ask('error')), (e) => e instanceof OpenAI.RateLimitError && e.code === 'insufficient_quota')
    assert.equal((await client.responses.create(ask('refuse'))).output[0].content[0].type, 'refusal')
  })
})

test('anthropic, messages', async (t) => {
  const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 })
  const ask = (content, more) => ({ model: 'claude-x', max_tokens: 100, system: 'be brief', messages: [{ role: 'user', content }], ...more })
  await t.test('text', async () => {
    const got = await client.messages.create(ask('text', { stop_sequences: ['END'], output_config: { effort: 'low' } }))
    assert.equal(got.content[0].text, answer)
    assert.equal(got.stop_reason, 'end_turn')
    assert.deepEqual([got.usage.input_tokens, got.usage.cache_read_input_tokens, got.usage.cache_creation_input_tokens], [60, 30, 10])
  })
  await t.test('streaming', async () => {
    const stream = client.messages.stream(ask('text'))
    assert.equal(await gather(stream, (event) => event.type === 'content_block_delta' && event.delta.text), answer)
    const message = await stream.finalMessage()
    assert.equal(message.content[0].text, answer)
    assert.equal(message.usage.output_tokens, 20)
  })
  await t.test('tools', async () => {
    const tools = [{ name: 'weather', description: 'of a city', input_schema: parameters }]
    const got = await client.messages.stream(ask('tools', { tools, tool_choice: { type: 'any' } })).finalMessage()
    assert.equal(got.stop_reason, 'tool_use')
    const call = got.content.find((block) => block.type === 'tool_use')
    assert.deepEqual(call.input, { city: '서울' })
    const next = ask('tools', { tools })
    next.messages.push({ role: 'assistant', content: got.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: '21' }] })
    assert.equal((await client.messages.create(next)).content[0].text, 'result 21')
  })
  await t.test('structured output', async () => {
    const got = await client.messages.create(ask('schema', { output_config: { format: { type: 'json_schema', schema } } }))
    assert.deepEqual(JSON.parse(got.content[0].text), found)
  })
  await t.test('errors', async () => {
    await assert.rejects(client.messages.create(ask('error')), (e) => e instanceof Anthropic.RateLimitError && e.error.error.type === 'rate_limit_error' && e.headers.get('retry-after') === '7')
    await assert.rejects(new Anthropic({ baseURL: base, apiKey: 'wrong', maxRetries: 0 }).messages.create(ask('text')), Anthropic.AuthenticationError)
    assert.equal((await client.messages.create(ask('refuse'))).stop_reason, 'refusal')
  })
  await t.test('models', async () => {
    assert.deepEqual((await client.models.list()).data.map((m) => m.id), ['gpt-4.1', 'claude-x'])
  })
})

test('gemini, generateContent', async (t) => {
  const client = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base } }).models
  const models = client(key)
  const ask = (contents, config) => ({ model: 'gemini-x', contents, config: { systemInstruction: 'be brief', ...config } })
  await t.test('text', async () => {
    const got = await models.generateContent(ask('text', { temperature: 0.2, maxOutputTokens: 50, seed: 1 }))
    assert.equal(got.text, answer)
    assert.deepEqual([got.usageMetadata.promptTokenCount, got.usageMetadata.cachedContentTokenCount, got.usageMetadata.thoughtsTokenCount], [100, 30, 5])
  })
  await t.test('streaming', async () => {
    assert.equal(await gather(await models.generateContentStream(ask('text')), (chunk) => chunk.text), answer)
  })
  await t.test('tools', async () => {
    const config = { tools: [{ functionDeclarations: [{ name: 'weather', description: 'of a city', parametersJsonSchema: parameters }] }] }
    const got = await models.generateContent(ask('tools', { ...config, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } }))
    assert.deepEqual(got.functionCalls[0].args, { city: '서울' })
    const contents = [
      { role: 'user', parts: [{ text: 'tools' }] },
      got.candidates[0].content,
      { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: '21' } } }] },
    ]
    assert.equal((await models.generateContent(ask(contents, config))).text, 'result 21')
  })
  await t.test('structured output', async () => {
    const got = await models.generateContent(ask('schema', { responseMimeType: 'application/json', responseJsonSchema: schema }))
    assert.deepEqual(JSON.parse(got.text), found)
  })
  await t.test('errors', async () => {
    await assert.rejects(models.generateContent(ask('error')), (e) => e instanceof ApiError && e.status === 429 && e.message.includes('RESOURCE_EXHAUSTED') && e.message.includes('"7s"'))
    await assert.rejects(client('wrong').generateContent(ask('text')), (e) => e.status === 400 && e.message.includes('API_KEY_INVALID'))
    assert.equal((await models.generateContent(ask('refuse'))).promptFeedback.blockReason, 'PROHIBITED_CONTENT')
  })
  await t.test('embeddings', async () => {
    const got = await models.embedContent({ model: 'gemini-embedding-001', contents: ['a', 'b'], config: { outputDimensionality: 4 } })
    assert.equal(got.embeddings[1].values.length, 4)
  })
})
