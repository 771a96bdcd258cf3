// A report is fetched as text and opened from memory: no file of the server has an address.
element.addEventListener("click", async (event) => {
  const button = event.target.closest('[data-do="report"]');
  if (!button) return;
  const tab = window.open("", "_blank");
  const page = await server.report_page(button.dataset.name);
  const address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
  if (tab) tab.location = address;
});
