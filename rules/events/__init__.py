"""The domain events: past-tense facts, each written in the transaction of the change it tells of.

One frozen dataclass is all of an event: what is stored of it, its sentence in the audit log, its description in the
schema, and the email it becomes. A new one is a class in the module of its noun, a line in `catalogue`, and, when it is
emailed, a folder of templates named after its mailing.
"""
