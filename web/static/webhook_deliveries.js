// The dialog of a webhook's deliveries: what was sent, and what the endpoint answered.

import { act, succeeded } from "./act.js";
import { ask } from "./api.js";
import { openDialog } from "./dialogs.js";
import { button, clone, element, make } from "./dom.js";
import { onPress } from "./forms.js";
import { n, t } from "./texts.js";
import { minute } from "./words.js";

/**
 * @typedef {{id: string, type: string, state: string, createdAt: string, attemptCount: number, status: number | null,
 *   durationMs: number | null, error: string | null}} Delivery
 */

const PAGE = `query WebhookDeliveries($id: ID!, $before: ID) { webhook(id: $id) { deliveries(first: 20, before: $before) {
  id type state createdAt attemptCount status durationMs error } } }`;
const RESEND = `mutation ResendWebhookDelivery($input: ResendWebhookDeliveryInput!) { resendWebhookDelivery(input: $input) {
  __typename ... on Error { message } } }`;
const PAGE_SIZE = 20;
const ENDED = ["delivered", "failed"];
/** @type {Record<string, string>} */
const STATES = { pending: t("pending"), sending: t("sending"), delivered: t("delivered"), failed: t("failed") };

/** @param {{id: string, url: string}} webhook @param {boolean} isOwner */
export async function showDeliveries({ id, url }, isOwner) {
  const first = await page(null);
  const { dialog } = openDialog("deliveries");
  element(dialog, ".whom").textContent = url;
  const list = element(dialog, "ul");
  const more = button(dialog, "[data-more]");
  show(first);
  onPress(button(dialog, "[data-again]"), dialog, async () => {
    const newest = await page(null);
    list.replaceChildren();
    show(newest);
  });
  onPress(more, dialog, async () => show(await page(list.lastElementChild?.getAttribute("data-id") ?? null)));

  /** @param {string | null} before @returns {Promise<Delivery[]>} */
  async function page(before) {
    const { data, problem } = await ask(PAGE, { id, before });
    if (problem) throw problem;
    return data.webhook.deliveries;
  }

  /** @param {Delivery[]} deliveries */
  function show(deliveries) {
    list.append(...deliveries.map((delivery) => row(dialog, delivery, isOwner)));
    more.hidden = deliveries.length < PAGE_SIZE;
    element(dialog, ".empty").hidden = list.children.length > 0;
  }
}

/** @param {HTMLElement} dialog @param {Delivery} delivery @param {boolean} isOwner */
function row(dialog, delivery, isOwner) {
  const item = element(clone("delivery"), "li");
  item.dataset.id = delivery.id;
  const name = element(item, ".device");
  name.id = `delivery-${delivery.id}`;
  name.append(delivery.type, " ", make("span", STATES[delivery.state] ?? delivery.state, `badge ${delivery.state}`));
  element(item, ".hint").textContent = told(delivery);
  const again = button(item, "button");
  again.hidden = !isOwner || !ENDED.includes(delivery.state);
  again.setAttribute("aria-describedby", name.id);
  onPress(again, dialog, async () => {
    succeeded(await act(RESEND, { deliveryId: delivery.id }), "WebhookDeliveryQueued");
    item.replaceWith(row(dialog, { ...delivery, state: "pending" }, isOwner));
  });
  return item;
}

/** @param {Delivery} delivery */
function told({ createdAt, attemptCount, status, durationMs, error }) {
  const answer = status === null ? "" : durationMs === null ? t("answered {status}", { status }) : t("answered {status} in {ms} ms", { status, ms: durationMs });
  const tries = attemptCount > 1 ? n(attemptCount, "{count} attempt", "{count} attempts") : "";
  return [minute(createdAt), tries, answer || error].filter(Boolean).join(" · ");
}
