// Runs before the first paint: the theme somebody chose on this device, else the device's own.
(function () {
  "use strict";
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) {
    // Storage is shut: the device's own theme stands.
  }
})();
