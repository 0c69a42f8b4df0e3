// Debian's package of the theme leaves this file out. A wide table gets a bar to
// scroll it by, instead of pushing the page wide.
for (const table of document.querySelectorAll("div.rst-content table")) {
  const box = document.createElement("div");
  box.className = "wy-table-responsive";
  table.classList.add("docutils");
  table.replaceWith(box);
  box.append(table);
}
