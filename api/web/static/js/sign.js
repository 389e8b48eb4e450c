// A sign's one number. For the browsers of signs, which are old: no module, no syntax of the last ten years. Where the line
// breaks, or what is known is older than it may be, it says that it does not know; the page itself never goes away.
(function () {
  "use strict";
  var EVERY_MS = 15000;
  var PATIENCE_MS = 10000;
  var body = document.body;
  var source = body.getAttribute("data-source");
  var maxAgeS = Number(body.getAttribute("data-max-age-s"));
  var number = document.getElementById("number");
  var knownAt = new Date().getTime(); // when what is shown was known

  function say(text) {
    if (number.textContent !== text) number.textContent = text;
  }

  function tooOld() {
    if (new Date().getTime() - knownAt > maxAgeS * 1000) say("?");
  }

  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", source);
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("Cache-Control", "no-cache"); // what was kept on the way does not say how old it is
    request.onload = function () {
      if (request.status !== 200) return;
      try {
        var told = JSON.parse(request.responseText);
        knownAt = new Date().getTime() - (told.kind === "measured" ? told.heard_s || 0 : 0) * 1000;
        say(told.number === null ? "?" : String(told.number));
      } catch (error) {
        return; // half an answer is none
      }
    };
    request.send();
  }

  setInterval(tooOld, 1000);
  // Where the zone was not known, or nothing answered when the page was made, the page is asked for until it does: a
  // browser that loads a page which is not there stays with what it says of that.
  function askForPage() {
    var request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.timeout = PATIENCE_MS;
    request.onload = function () {
      if (request.status === 200) location.reload();
    };
    request.send();
  }

  setInterval(source ? ask : askForPage, EVERY_MS);
})();
