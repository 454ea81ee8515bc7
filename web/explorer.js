// The explorer: a sign-in bar that uses the cookie session, and GraphiQL with an example for each capability.

const ENDPOINT = "/graphql";
const ASSETS = "/graphql/assets/";
const SIGNED_IN = "... on SignedIn { viewer { email } }";
const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { __typename ${SIGNED_IN} ... on MfaChallenge { challengeToken } ... on Error { message } }
}`;
const VERIFY = `mutation Verify($input: CompleteMfaChallengeInput!) {
  completeMfaChallenge(input: $input) { __typename ${SIGNED_IN} ... on Error { message } }
}`;

// Variables may hold a password, so nothing that is typed here is kept in the browser.
const FORGETFUL = { length: 0, getItem: () => null, setItem() {}, removeItem() {}, clear() {} };

const byId = (id) => document.getElementById(id);
let challengeToken = null;

start();

async function start() {
  // A page that waits for its files loads itself again, and would take away what is being typed.
  if (!["ready", "sign-in"].includes(document.body.dataset.mode)) return;
  byId("password-form").addEventListener("submit", signIn);
  byId("code-form").addEventListener("submit", verify);
  byId("sign-out").addEventListener("click", signOut);
  const { data, errors } = await ask("{ viewer { email } }");
  showPerson(data?.viewer);
  if (errors) say(errors[0].message);
  if (document.body.dataset.mode === "ready") await openGraphiql();
}

async function signIn(event) {
  event.preventDefault();
  const { email, password } = event.target.elements;
  await take(SIGN_IN, { email: email.value, password: password.value, useCookie: true });
  password.value = "";
}

async function verify(event) {
  event.preventDefault();
  const { code } = event.target.elements;
  const digits = code.value.replaceAll(/\s/g, "");
  const factor = /^\d{6}$/.test(digits) ? { totp: digits } : { backupCode: code.value };
  await take(VERIFY, { challengeToken, code: factor });
  code.value = "";
}

async function take(mutation, input) {
  const { data, errors } = await ask(mutation, { input });
  const result = Object.values(data ?? {})[0];
  if (result?.__typename === "SignedIn") {
    if (document.body.dataset.mode === "sign-in") location.reload();
    else showPerson(result.viewer);
  } else if (result?.__typename === "MfaChallenge") {
    challengeToken = result.challengeToken;
    showForm("code-form", "One more step.");
  } else {
    const message = result?.message ?? errors[0].message;
    // An expired challenge cannot be answered any more: back to the password.
    if (result?.__typename === "InvalidCode") say(message);
    else showForm("password-form", message);
  }
}

async function signOut() {
  const { errors } = await ask("mutation SignOut { signOut { ok } }");
  if (errors) say(errors[0].message);
  else if (document.body.dataset.mode === "ready") showPerson(null);
  else location.reload();
}

function showPerson(viewer) {
  if (viewer) showForm(null, `Signed in as ${viewer.email}`);
  else showForm("password-form", "Not signed in");
}

function showForm(shown, message) {
  for (const id of ["password-form", "code-form"]) byId(id).hidden = id !== shown;
  byId("sign-out").hidden = shown !== null;
  say(message);
}

function say(message) {
  byId("person").textContent = message;
}

async function ask(query, variables) {
  try {
    const answer = await send({ query, variables }, { Accept: "application/json" });
    return await answer.json();
  } catch {
    return { errors: [{ message: "The server does not answer." }] };
  }
}

function send(body, headers) {
  return fetch(ENDPOINT, {
    method: "POST",
    credentials: "same-origin",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function openGraphiql() {
  allowStyles(document.body.dataset.styleNonce);
  for (const name of ["graphiql.css", "react.js", "react-dom.js", "graphiql.js"]) await load(name);
  const [schema, examples] = await Promise.all([
    fetch(`${ASSETS}schema.json`).then((answer) => answer.json()),
    fetch(`${ASSETS}examples.graphql`).then((answer) => answer.text()),
  ]);
  const graphiql = React.createElement(GraphiQL, {
    fetcher: run,
    schema,
    storage: FORGETFUL,
    defaultTabs: tabsOf(examples),
    defaultEditorToolsVisibility: "variables",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
  });
  ReactDOM.createRoot(byId("explorer")).render(graphiql);
}

// GraphiQL's menus write a style element. The policy takes none but those with this page's nonce.
function allowStyles(nonce) {
  const createElement = document.createElement.bind(document);
  document.createElement = (name, options) => {
    const element = createElement(name, options);
    if (name === "style") element.nonce = nonce;
    return element;
  };
}

function load(name) {
  return new Promise((resolve, reject) => {
    const isScript = name.endsWith(".js");
    const element = document.createElement(isScript ? "script" : "link");
    Object.assign(element, isScript ? { src: ASSETS + name } : { rel: "stylesheet", href: ASSETS + name });
    element.addEventListener("load", resolve);
    element.addEventListener("error", reject);
    document.head.prepend(element); // our own styles stay last
  });
}

// Each example begins with a line "# Example: …" and may have a line "# Variables: {…}".
function tabsOf(examples) {
  return examples
    .split(/^(?=# Example: )/m)
    .filter((example) => example.startsWith("# Example: "))
    .map((example) => {
      const variables = /^# Variables: (.*)$/m.exec(example)?.[1];
      return {
        query: example.replace(/^# Variables: .*\n/m, "").replace("# Example: ", "# ").trim(),
        variables: variables ? JSON.stringify(JSON.parse(variables), null, 2) : "",
      };
    });
}

// GraphiQL's fetcher: a promise of one result, or the results of a subscription one by one.
async function run({ query, variables, operationName }, { headers } = {}) {
  const accept = "application/graphql-response+json, text/event-stream";
  const answer = await send({ query, variables, operationName }, { Accept: accept, ...headers });
  if (!answer.headers.get("Content-Type").startsWith("text/event-stream")) return answer.json();
  return resultsOf(answer.body.pipeThrough(new TextDecoderStream()).getReader());
}

async function* resultsOf(reader) {
  let received = "";
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (received + value).split("\n\n");
      received = events.pop();
      for (const event of events) {
        if (event.startsWith("event: next\n")) yield JSON.parse(event.slice(event.indexOf("data: ") + 6));
      }
    }
  } finally {
    await reader.cancel();
  }
}
