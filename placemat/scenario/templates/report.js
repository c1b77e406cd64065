"use strict";
// Extras only: the page says everything without them.
(() => {
  const reveal = () => {
    let at = document.getElementById(location.hash.slice(1));
    if (!at) return;
    for (let up = at; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    at.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => document.querySelectorAll("details.scenario, details.group").forEach((d) => { d.open = true; }));
  for (const chart of document.querySelectorAll(".timeline")) {
    const cursor = chart.querySelector(".cursor"), end = Number(chart.dataset.end);
    chart.addEventListener("pointermove", (event) => {
      const box = cursor.parentElement.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      cursor.hidden = share < 0 || share > 1;
      cursor.style.left = share * 100 + "%";
      cursor.dataset.t = (share * end / 1000).toFixed(2) + " s";
    });
    chart.addEventListener("pointerleave", () => { cursor.hidden = true; });
  }
})();
