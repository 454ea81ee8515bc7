// The page /come-back: by the link of an email, whose token stands in the fragment, begin to wait for a reset of MFA. Nothing
// happens until pressed, since mail programs open links, too.

import { Problem, ask } from "./api.js";
import { element, form, onLink, show } from "./dom.js";
import { onSubmit, sentence } from "./forms.js";
import { t } from "./texts.js";
import { minute } from "./words.js";

const START = `mutation StartAccountRecovery($input: StartAccountRecoveryInput!) {
  startAccountRecovery(input: $input) { __typename ... on AccountRecoveryStarted { accountRecovery { endsAt } }
    ... on Error { message } ... on TooManyAttempts { retryAt } } }`;

const main = element(document, "#main");
onLink((token) => {
  show(main, token ? "ask" : "worthless");
  if (!token) return;
  onSubmit(form(main), async () => {
    const { data, problem } = await ask(START, { input: { token } });
    if (problem) throw problem;
    const result = data.startAccountRecovery;
    if (result.__typename === "LinkExpired") return show(main, "worthless");
    if (result.__typename !== "AccountRecoveryStarted") throw new Problem(result.__typename, sentence(result));
    show(main, "done");
    const time = minute(result.accountRecovery.endsAt);
    element(main, "[role=status]").textContent = t("Your MFA is reset on {time}, unless that is stopped.", { time });
  });
});
