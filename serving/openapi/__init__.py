"""The service as an OpenAPI 3.1 document, made from the lists that the reader itself checks against."""
