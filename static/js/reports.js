// Draws a chart beside each table of a report, from what stands in the table; without script the table is all there is.
(function () {
  "use strict";
  var charts = [];
  var isPrinting = false;

  function token(name) {
    // Tokens differ in light and dark; a probe resolves them as they hold at this moment.
    var probe = document.createElement("span");
    probe.style.color = "var(--" + name + ")";
    document.body.appendChild(probe);
    var colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  }

  function palette() {
    return isPrinting
      ? { good: "#1c6b45", notice: "#44607f", warning: "#c98a1f", serious: "#a8291d", accent: "#12607a", quiet: "#b9bfc3", ink: "#000", line: "#ccc", surface: "#fff" }
      : { good: token("good"), notice: token("notice"), warning: token("warning"), serious: token("serious"), accent: token("accent"), quiet: token("control-line"), ink: token("ink-soft"), line: token("line"), surface: token("surface") };
  }

  function readTable(box) {
    var table = document.getElementById(box.dataset.table);
    var heads = Array.from(table.tHead.rows[0].cells);
    var rows = Array.from(table.tBodies[0].rows);
    return {
      labels: rows.map(function (row) {
        var label = Number(box.dataset.label);
        // Where another column names the rows, both do.
        return label ? row.cells[0].textContent + " · " + row.cells[label].textContent : row.cells[0].textContent;
      }),
      series: box.dataset.series.split(" ").map(function (part) {
        var column = Number(part.split(":")[0]);
        return {
          tone: part.split(":")[1],
          // The title without what explains it.
          label: heads[column].firstChild.textContent.trim(),
          values: rows.map(function (row) { var value = row.cells[column].dataset.value; return value ? Number(value) : null; }),
          texts: rows.map(function (row) { return row.cells[column].textContent; }),
        };
      }),
    };
  }

  function lines(label, most) {
    // A long name would be cut, or stand aslant below its column: it stands in lines instead.
    return label.split(" ").reduce(function (found, word) {
      var last = found[found.length - 1];
      if (last !== undefined && last.length + word.length < most) found[found.length - 1] = last + " " + word;
      else found.push(word);
      return found;
    }, []);
  }

  function isNarrow(box) {
    return box.clientWidth < 480;
  }

  function settings(box) {
    var data = readTable(box);
    var colours = palette();
    var isSteps = box.dataset.chart === "steps";
    var isLying = box.dataset.chart === "rows";
    var isStacked = isLying || box.dataset.chart === "stack";
    var names = { stacked: isStacked, grid: { display: false }, border: { color: colours.line }, ticks: { color: colours.ink, maxRotation: 0, autoSkip: !isLying, font: { family: "Inter Variable" } } };
    var numbers = {
      stacked: isStacked, beginAtZero: true, max: isSteps ? 100 : undefined,
      grid: { color: colours.line }, border: { display: false },
      ticks: { color: colours.ink, precision: 0, font: { family: "Inter Variable" }, callback: function (value) { return isSteps ? value + " %" : value.toLocaleString(document.documentElement.lang); } },
    };
    return {
      type: isSteps ? "line" : "bar",
      data: {
        labels: isLying && !isNarrow(box) ? data.labels : data.labels.map(function (label) { return lines(label, isLying ? 15 : 10); }),
        datasets: data.series.map(function (one) {
          return {
            label: one.label, data: one.values, texts: one.texts,
            backgroundColor: colours[one.tone], borderColor: isSteps ? colours[one.tone] : colours.surface,
            borderWidth: isSteps ? 2 : 1, borderRadius: isSteps ? 0 : 2, maxBarThickness: isLying ? 22 : 44,
            stepped: isSteps ? "before" : false, pointRadius: isSteps ? 3 : 0, pointHitRadius: 12,
          };
        }),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, indexAxis: isLying ? "y" : "x",
        // A line along the edge keeps its whole width.
        clip: false, layout: { padding: { top: 6, right: 12 } },
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: data.series.length > 1, position: "bottom", labels: { color: colours.ink, boxWidth: 12, boxHeight: 12, font: { family: "Inter Variable" } } },
          tooltip: { callbacks: { label: function (item) { return item.dataset.label + ": " + item.dataset.texts[item.dataIndex]; } } },
        },
        scales: { x: isLying ? numbers : names, y: isLying ? names : numbers },
      },
    };
  }

  function draw(box) {
    box.hidden = false;
    if (box.dataset.chart === "rows") {
      // As high as its rows need, the longest name among them.
      var labels = readTable(box).labels;
      var most = Math.max.apply(null, labels.map(function (label) { return lines(label, 15).length; }));
      box.style.height = 5 + (isNarrow(box) ? Math.max(2, 0.5 + 0.9 * most) : 1.75) * labels.length + "rem";
    }
    var canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", box.dataset.title);
    box.appendChild(canvas);
    charts.push({ box: box, chart: new Chart(canvas, settings(box)) });
  }

  function redraw() {
    charts.forEach(function (one) {
      var fresh = settings(one.box);
      one.chart.data = fresh.data;
      one.chart.options = fresh.options;
      one.chart.update("none");
    });
  }

  function resize(printing) {
    isPrinting = printing;
    redraw();
    charts.forEach(function (one) { one.chart.resize(); });
  }

  document.querySelectorAll("[data-chart]").forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  addEventListener("beforeprint", function () { resize(true); });
  addEventListener("afterprint", function () { resize(false); });
  matchMedia("print").addEventListener("change", function (event) { resize(event.matches); });
})();
