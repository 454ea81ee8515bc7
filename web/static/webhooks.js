// The card "Webhooks": endpoints that are told of the account's events, which owners look after.

import { act, succeeded } from "./act.js";
import { Problem } from "./api.js";
import { openDialog } from "./dialogs.js";
import { button, clone, element, find, form, input } from "./dom.js";
import { onPress, onSubmit, refuse } from "./forms.js";
import { announce } from "./frame.js";
import { showOnce } from "./shown_once.js";
import { showDeliveries } from "./webhook_deliveries.js";
import { n, t } from "./texts.js";
import { day } from "./words.js";

/**
 * @typedef {{id: string, url: string, eventTypes: string[] | null, format: string, failingSince: string | null,
 *   disabledAt: string | null}} Webhook
 */

export const WEBHOOK = "id url eventTypes format failingSince disabledAt";
const ADD = `mutation AddWebhook($input: AddWebhookInput!) { addWebhook(input: $input) {
  __typename ... on WebhookAdded { webhook { ${WEBHOOK} } secret } ... on Error { message } } }`;
const TEST = "mutation TestWebhook($input: WebhookInput!) { testWebhook(input: $input) { __typename ... on Error { message } } }";
const ROTATE = `mutation RotateWebhookSecret($input: WebhookInput!) { rotateWebhookSecret(input: $input) {
  __typename ... on WebhookSecretRotated { secret } ... on Error { message } } }`;
const ENABLE = `mutation EnableWebhook($input: WebhookInput!) { enableWebhook(input: $input) {
  __typename ... on WebhookEnabled { webhook { ${WEBHOOK} } } ... on Error { message } } }`;
const REMOVE = `mutation RemoveWebhook($input: WebhookInput!) { removeWebhook(input: $input) {
  __typename ... on Error { message } } }`;

export class Webhooks {
  /** @param {string} accountId @param {Webhook[]} webhooks @param {boolean} isOwner */
  constructor(accountId, webhooks, isOwner) {
    this.accountId = accountId;
    this.isOwner = isOwner;
    this.card = element(document, "section[aria-labelledby=webhooks-title]");
    this.list = element(this.card, "ul");
    this.list.append(...webhooks.map((webhook) => this.row(webhook)));
    const add = button(this.card, "[data-add]");
    add.hidden = !isOwner;
    add.addEventListener("click", () => this.add());
    this.showEmpty();
  }

  /** @param {Webhook} webhook @returns {HTMLLIElement} */
  row(webhook) {
    const item = /** @type {HTMLLIElement} */ (element(clone("webhook"), "li"));
    const name = element(item, ".device");
    name.id = `webhook-${webhook.id}`;
    name.textContent = webhook.url;
    element(item, "[data-state]").textContent = stateOf(webhook);
    for (const each of item.querySelectorAll("button")) {
      each.setAttribute("aria-describedby", name.id);
      if (each.hasAttribute("data-owner")) each.hidden = !this.isOwner;
    }
    if (webhook.format !== "STANDARD") button(item, "[data-rotate]").hidden = true;
    button(item, "[data-enable]").hidden = !this.isOwner || !webhook.disabledAt;
    button(item, "[data-test]").hidden = !this.isOwner || Boolean(webhook.disabledAt);
    onPress(button(item, "[data-deliveries]"), this.card, () => showDeliveries(webhook, this.isOwner));
    onPress(button(item, "[data-test]"), this.card, () => this.test(webhook));
    onPress(button(item, "[data-rotate]"), this.card, async () => this.rotate(webhook));
    onPress(button(item, "[data-enable]"), this.card, () => this.enable(webhook, item));
    onPress(button(item, "[data-remove]"), this.card, async () => this.remove(webhook, item));
    return item;
  }

  showEmpty() {
    element(this.card, ".empty").hidden = this.list.children.length > 0;
  }

  add() {
    const { dialog } = openDialog("add-webhook");
    const url = input(dialog, "#webhook-url");
    find(dialog, "details", HTMLDetailsElement).addEventListener("toggle", async () => {
      await (await import("./webhook_events.js")).listEvents(dialog);
    });
    onSubmit(form(dialog), async () => {
      const chosen = [...dialog.querySelectorAll("details input:checked")];
      const eventTypes = chosen.map((each) => /** @type {HTMLInputElement} */ (each).value);
      const format = find(dialog, "#webhook-format", HTMLSelectElement).value;
      const result = await act(ADD, { accountId: this.accountId, url: url.value, eventTypes, format });
      if (result.__typename === "InvalidInput") return refuse(url, result.message);
      if (result.__typename !== "WebhookAdded") throw new Problem(result.__typename, result.message);
      dialog.close();
      this.list.append(this.row(result.webhook));
      this.showEmpty();
      // Slack and Teams check no signature.
      if (format === "STANDARD") await showOnce("save-secret", result.secret);
    });
  }

  /** @param {Webhook} webhook */
  async test({ id, url }) {
    succeeded(await act(TEST, { webhookId: id }), "WebhookDeliveryQueued");
    announce(t('A test is on its way to {url}. See what came of it under "Deliveries".', { url }));
  }

  /** @param {Webhook} webhook */
  rotate({ id, url }) {
    const { dialog } = openDialog("rotate-secret");
    element(dialog, ".whom").textContent = url;
    onSubmit(form(dialog), async () => {
      const { secret } = succeeded(await act(ROTATE, { webhookId: id }), "WebhookSecretRotated");
      dialog.close();
      await showOnce("save-secret", secret);
    });
  }

  /** @param {Webhook} webhook @param {HTMLLIElement} item */
  async enable({ id, url }, item) {
    const { webhook } = succeeded(await act(ENABLE, { webhookId: id }), "WebhookEnabled");
    item.replaceWith(this.row(webhook));
    element(document, "#webhooks-title").focus();
    announce(t("{url} is told of events again.", { url }));
  }

  /** @param {Webhook} webhook @param {HTMLLIElement} item */
  remove({ id, url }, item) {
    const { dialog } = openDialog("remove-webhook");
    element(dialog, ".whom").textContent = url;
    onSubmit(form(dialog), async () => {
      succeeded(await act(REMOVE, { webhookId: id }), "WebhookRemoved");
      dialog.close();
      item.remove();
      this.showEmpty();
      element(document, "#webhooks-title").focus();
      announce(t("{url} is told of nothing more.", { url }));
    });
  }
}

/** @param {Webhook} webhook */
function stateOf({ eventTypes, failingSince, disabledAt }) {
  const told = eventTypes ? n(eventTypes.length, "Told of {count} kind of events", "Told of {count} kinds of events") : t("Told of all events");
  if (disabledAt) return `${told} · ${t("switched off since {day}, after three days of failures", { day: day(disabledAt) })}`;
  return failingSince ? `${told} · ${t("failing since {day}", { day: day(failingSince) })}` : told;
}
