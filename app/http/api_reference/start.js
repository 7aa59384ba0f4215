// Shows the OpenAPI document of this server. Addresses are relative, so the page also works below a prefix of a proxy.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // The validator badge would send the address of this server to another host.
  validatorUrl: null,
});
