// The document lies beside the page. The browser sends the CRM's session along, as to every page of this origin.
SwaggerUIBundle({
  dom_id: "#page",
  url: "openapi.json",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
