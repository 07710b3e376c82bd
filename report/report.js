"use strict";
// Filters and folding. The page is whole without them.
{
  const enough = 8; // rows that are worth a filter
  const openAtMost = 300; // rows that matches are unfolded for

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // What a row is found by: its text, and the cause that it stands under.
  const texts = new WeakMap();
  const textOf = (row) => {
    if (!texts.has(row)) {
      const cause = row.closest("[data-cause]");
      texts.set(row, (row.textContent + " " + (cause ? cause.dataset.cause : "")).toLowerCase());
    }
    return texts.get(row);
  };

  const addFilter = (list) => {
    const pattern = list.dataset.filter;
    const rows = [...list.querySelectorAll(pattern)];
    if (rows.length < enough) return;
    const folds = [...list.querySelectorAll("details")].filter((fold) => fold.querySelector(pattern));
    const input = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const count = make("output", { textContent: rows.length + " " + list.dataset.name });
    let before = null; // how the folds were when the filter was empty

    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = words.length ? textOf(row) : "";
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown++;
      }
      if (words.length && !before) before = folds.map((fold) => fold.open);
      folds.forEach((fold, i) => {
        fold.hidden = !fold.querySelector(`:is(${pattern}):not([hidden])`);
        if (!words.length && before) fold.open = before[i];
        if (words.length && shown <= openAtMost) fold.open = true;
      });
      if (!words.length) before = null;
      count.textContent = (words.length ? shown + " of " : "") + rows.length + " " + list.dataset.name;
    };
    let due = 0;
    input.addEventListener("input", () => {
      cancelAnimationFrame(due);
      due = requestAnimationFrame(apply);
    });

    const bar = make("div", { className: "filter" });
    bar.append(make("label", {}, "Filter " + list.dataset.name + " ", input), count);
    if (folds.length > 1) {
      for (const [name, open] of [["Open all", true], ["Close all", false]]) {
        const button = make("button", { type: "button", textContent: name });
        button.addEventListener("click", () => folds.forEach((fold) => (fold.open = open)));
        bar.append(button);
      }
    }
    list.prepend(bar);
  };

  // A link to something in a fold opens the fold.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (target) target.scrollIntoView();
  };

  document.querySelectorAll("[data-filter]").forEach(addFilter);
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();
}
