"""What owners ask about webhooks."""

ADD = """
mutation ($input: AddWebhookInput!) {
  addWebhook(input: $input) {
    __typename
    ... on WebhookAdded { secret webhook { id url eventTypes format } }
    ... on Error { message }
    ... on InvalidInput { field }
  }
}
"""
REMOVE = "mutation ($id: ID!) { removeWebhook(input: {webhookId: $id}) { __typename } }"
ROTATE = """
mutation ($id: ID!) {
  rotateWebhookSecret(input: {webhookId: $id}) { __typename ... on WebhookSecretRotated { secret } }
}
"""
ENABLE = """
mutation ($id: ID!) {
  enableWebhook(input: {webhookId: $id}) { __typename ... on WebhookEnabled { webhook { disabledAt } } }
}
"""
TEST = """
mutation ($id: ID!) {
  testWebhook(input: {webhookId: $id}) {
    __typename ... on WebhookDeliveryQueued { delivery { id type state } } ... on Error { message }
  }
}
"""
RESEND = """
mutation ($id: ID!) {
  resendWebhookDelivery(input: {deliveryId: $id}) {
    __typename ... on WebhookDeliveryQueued { delivery { id state } } ... on Error { message }
  }
}
"""
WEBHOOK = """
query ($id: ID!) {
  webhook(id: $id) {
    url failingSince disabledAt
    deliveries { id type state status durationMs answer error attemptCount attempts { status error } }
  }
}
"""
WEBHOOKS = "query ($account: ID!) { account(id: $account) { webhooks { id url } } }"
