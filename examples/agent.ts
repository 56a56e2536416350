// An agent that remembers its users from one session to the next: node agent.ts USER_ID SESSION_ID
//
// Each line of the input is a question. Needs Node 22.18 and no package; README.md beside this file names the settings.

import process from "node:process";
import { createInterface } from "node:readline";

type Message = { role: string; content: string };
type Memory = { memory: string };
type Completion = { choices: [{ message: { content: string | null } }] };

/** A server that takes and gives JSON, as the function that calls it; an error says which server failed, and how. */
function service(name: string, url: string, key?: string) {
  const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
  return async function call<Reply>(method: string, path: string, body?: object): Promise<Reply> {
    // Models take their time, also the one that MaaS may ask for what is worth remembering.
    const signal = AbortSignal.timeout(120_000);
    const request = { method, headers, signal, body: JSON.stringify(body) };
    const reply = await fetch(url.replace(/\/$/, "") + path, request).catch((error: Error) => {
      throw new Error(`${name} at ${url} does not answer: ${error.cause ?? error}`);
    });
    if (!reply.ok) throw new Error(`${name} answered ${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as Reply;
  };
}

const { env } = process;
const maas = service("MaaS", env.MAAS_URL ?? "http://127.0.0.1:8000", env.MAAS_API_KEY);
const model = service("the model", env.OPENAI_BASE_URL ?? "https://api.openai.com/v1", env.OPENAI_API_KEY);

/**
 * What the model is shown. A long session begins with a message of the role "summary". Models don't know that role,
 * and some take one system message only, so the summary goes into the first, together with the memories.
 */
function prompt(memories: Memory[], window: Message[], question: string): Message[] {
  const summaries = window.filter((said) => said.role === "summary");
  const turns = window.filter((said) => said.role !== "summary").map(({ role, content }) => ({ role, content }));
  const system = [
    "You are a helpful assistant. What you remember of this user:",
    ...(memories.length ? memories.map(({ memory }) => `- ${memory}`) : ["- nothing yet"]),
    ...summaries.map(({ content }) => `How this conversation began: ${content}`),
  ];
  return [{ role: "system", content: system.join("\n") }, ...turns, { role: "user", content: question }];
}

async function answer(userId: string, sessionId: string, question: string): Promise<string> {
  const session = `/stm/${encodeURIComponent(sessionId)}`; // an id may hold any character, a slash too
  const search = { user_id: userId, query: question, limit: 5 };
  const { results } = await maas<{ results: Memory[] }>("POST", "/ltm/memories/search", search);
  const { messages } = await maas<{ messages: Message[] }>("GET", `${session}/context`);
  const asked = { model: env.OPENAI_MODEL ?? "gpt-4.1-mini", messages: prompt(results, messages, question) };
  const { choices } = await model<Completion>("POST", "/chat/completions", asked);
  const text = choices[0].message.content;
  if (!text) throw new Error("the model answered without a text");
  // Both at once and only now: a model that fails leaves no question without its answer in the session.
  const turn: Message[] = [
    { role: "user", content: question },
    { role: "assistant", content: text },
  ];
  await maas("POST", `${session}/messages`, { messages: turn });
  // Of the user, not of the session, so that all of the user's sessions find it.
  await maas("POST", "/ltm/memories", { user_id: userId, messages: turn });
  return text;
}

async function main(userId?: string, sessionId?: string): Promise<void> {
  if (!userId || !sessionId) throw new Error("usage: node agent.ts USER_ID SESSION_ID");
  process.stdout.write("> ");
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim()) console.log(await answer(userId, sessionId, line.trim()));
    process.stdout.write("> ");
  }
  console.log();
}

main(...process.argv.slice(2)).catch((error: Error) => {
  console.error(`agent: ${error.message}`);
  process.exitCode = 1;
});
