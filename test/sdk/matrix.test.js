// The official clients, unmodified, ask MATRIX instead of a model service. The
// model behind it answers as test/e2e says: the question back, a call of the tool
// that it is offered, or what the schema wants.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'

const base = process.env.MATRIX_URL
const key = process.env.MATRIX_TOKEN
const question = 'mail kim@kakaocorp.com, 그리고 010-1234-5678로 전화'
const said = `you said: ${question}`
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const schema = { type: 'object', properties: { good: { type: 'boolean' } }, required: ['good'], additionalProperties: false }

for (const model of ['role:guide', 'openai/gpt-4.1', 'answers/gpt-4.1', 'claude/claude-x', 'gem/gemini-2.5-flash']) {
  test(`openai asks ${model}`, async (t) => {
    const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 })
    const ask = (content, more) => ({ model, messages: [{ role: 'user', content }], max_completion_tokens: 200, ...more })
    await t.test('text', async () => {
      const got = await client.chat.completions.create(ask(question))
      assert.equal(got.choices[0].message.content, said)
      assert.ok(got.usage.total_tokens > 0)
    })
    await t.test('streaming', async () => {
      let text = ''
      for await (const chunk of await client.chat.completions.create(ask(question, { stream: true }))) {
        text += chunk.choices[0]?.delta.content ?? ''
        assert.ok(said.startsWith(text), `the client sees ${text}`)
      }
      assert.equal(text, said)
    })
    await t.test('tools', async () => {
      const tools = [{ type: 'function', function: { name: 'weather', description: 'of a city', parameters } }]
      const { message } = (await client.chat.completions.stream(ask('tools', { tools, tool_choice: 'required' })).finalChatCompletion()).choices[0]
      const { id, type, function: { name, arguments: written } } = message.tool_calls[0]
      assert.deepEqual(JSON.parse(written), { city: '서울' })
      const next = ask('tools', { tools })
      next.messages.push({ role: 'assistant', tool_calls: [{ id, type, function: { name, arguments: written } }] }, { role: 'tool', tool_call_id: id, content: '21' })
      assert.equal((await client.chat.completions.create(next)).choices[0].message.content, 'result 21')
    })
    await t.test('structured output', async () => {
      const got = await client.chat.completions.create(ask('schema', { response_format: { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } } }))
      assert.deepEqual(JSON.parse(got.choices[0].message.content), { good: true })
    })
  })
}

test('openai, responses', async () => {
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 })
  const got = await client.responses.create({ model: 'role:guide', input: question })
  assert.equal(got.output_text, said)
  const final = await client.responses.stream({ model: 'role:guide', input: question }).finalResponse()
  assert.equal(final.output_text, said)
})

test('openai, embeddings, models and errors', async () => {
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 })
  const vectors = await client.embeddings.create({ model: 'openai/text-embedding-3-small', input: ['a', 'b'], dimensions: 4 })
  assert.equal(vectors.data.length, 2)
  assert.ok((await client.models.list()).data.some((m) => m.id === 'role:guide'))
  await assert.rejects(client.chat.completions.create({ model: 'role:nobody', messages: [{ role: 'user', content: 'hi' }] }), OpenAI.NotFoundError)
  await assert.rejects(new OpenAI({ baseURL: `${base}/v1`, apiKey: 'mtx_api_wrong', maxRetries: 0 }).models.list(), OpenAI.AuthenticationError)
})

test('anthropic', async (t) => {
  const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 })
  const ask = (content, more) => ({ model: 'role:guide', max_tokens: 200, messages: [{ role: 'user', content }], ...more })
  await t.test('text', async () => {
    const got = await client.messages.create(ask(question))
    assert.equal(got.content[0].text, said)
  })
  await t.test('streaming', async () => {
    const final = await client.messages.stream(ask(question)).finalMessage()
    assert.equal(final.content[0].text, said)
    assert.equal(final.stop_reason, 'end_turn')
  })
  await t.test('tools', async () => {
    const tools = [{ name: 'weather', description: 'of a city', input_schema: parameters }]
    const final = await client.messages.stream(ask('tools', { tools, tool_choice: { type: 'any' } })).finalMessage()
    const use = final.content.find((block) => block.type === 'tool_use')
    assert.deepEqual(use.input, { city: '서울' })
    const next = ask('tools', { tools })
    next.messages.push({ role: 'assistant', content: [use] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: '21' }] })
    assert.equal((await client.messages.create(next)).content[0].text, 'result 21')
  })
  await t.test('errors', async () => {
    await assert.rejects(client.messages.create({ ...ask('hi'), model: 'role:nobody' }), Anthropic.NotFoundError)
    await assert.rejects(new Anthropic({ baseURL: base, apiKey: 'mtx_api_wrong', maxRetries: 0 }).messages.create(ask('hi')), Anthropic.AuthenticationError)
  })
})
