"""The operations of tests of languages, as a frontend sends them."""

from __future__ import annotations

LANGUAGE = "{ viewer { language } }"
SET_LANGUAGE = "mutation ($language: Language) { setLanguage(input: {language: $language}) { language } }"
SET_ACCOUNT_LANGUAGE = """
mutation ($input: SetAccountLanguageInput!) {
  setAccountLanguage(input: $input) { __typename ... on AccountLanguageSet { language } }
}
"""
SET_GERMAN = "mutation { setLanguage(input: {language: DE}) { language } }"
DELIVERY_ERRORS = "query ($id: ID!) { webhook(id: $id) { deliveries { error attempts { error } } } }"
ASK_APPROVAL_OF_EVERYONE = """
mutation ($account: ID!) {
  updateSecurityPolicy(input: {accountId: $account, resetApproval: EVERYONE, requireMfa: false}) {
    __typename
    ... on Error { message }
  }
}
"""
NOTICE_WORDS = "{ viewer { mfaNotice { title message actionLabel } } }"
