// Goes on as soon as every frame of the page was loaded. Without scripts, the page goes on by itself a little later.
(function () {
  "use strict";
  window.addEventListener("load", function () {
    var link = document.getElementById("logout-continue");
    if (link) {
      window.location.replace(link.href);
    }
  }, false);
}());
