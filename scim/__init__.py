"""What an account's directory sees: SCIM 2.0 (RFC 7643, RFC 7644) over the use cases in resolvers.directory."""
