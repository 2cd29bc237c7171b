// Keeps a payer's page true: counts the time down, and asks how far the payment is.
// Written for old telephones.
(function () {
  "use strict";
  var page = document.getElementById("page");
  if (!page || !page.getAttribute("data-state")) {
    return;
  }
  var left = document.getElementById("left");
  var end = left ? Date.now() + 1000 * Number(left.getAttribute("data-seconds")) : 0;

  function two(number) {
    return (number < 10 ? "0" : "") + number;
  }

  function count() {
    var seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
    var hours = Math.floor(seconds / 3600);
    var minutes = Math.floor(seconds / 60) % 60;
    left.textContent = (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(seconds % 60);
  }

  function later() {
    setTimeout(ask, document.hidden ? 15000 : 3000);
  }

  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", page.getAttribute("data-ask"));
    request.timeout = 10000;
    request.onload = function () {
      var changed = request.responseText !== page.getAttribute("data-state");
      if (request.status === 200 && changed) {
        location.replace(page.getAttribute("data-self"));
      } else {
        later();
      }
    };
    request.onerror = later;
    request.ontimeout = later;
    request.send();
  }

  if (left) {
    setInterval(count, 1000);
  }
  later();
})();
