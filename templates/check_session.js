// Tells a page that holds this one in a frame whether the session is still the one it knows (OpenID Connect Session
// Management 3.2). The page posts "client_id session_state" and is answered "unchanged", "changed" or "error".
// Written so that old script engines read it too: no libraries, nothing newer than 2009.
(function () {
  "use strict";

  var K = [], FIRST = [];

  // The fractional parts of the roots of the first primes, in 32 bits (FIPS 180-4, 4.2.2 and 5.3.3).
  (function () {
    function part(root) {
      return ((root - Math.floor(root)) * 4294967296) | 0;
    }
    var candidate, divisor, prime;
    for (candidate = 2; K.length < 64; candidate += 1) {
      prime = true;
      for (divisor = 2; divisor * divisor <= candidate; divisor += 1) {
        if (candidate % divisor === 0) {
          prime = false;
          break;
        }
      }
      if (prime) {
        if (FIRST.length < 8) {
          FIRST.push(part(Math.pow(candidate, 1 / 2)));
        }
        K.push(part(Math.pow(candidate, 1 / 3)));
      }
    }
  }());

  function turn(word, by) {
    return (word >>> by) | (word << (32 - by));
  }

  // The SHA-256 of a text of ASCII characters, in hexadecimal digits.
  function sha256(text) {
    var words = [], bits = text.length * 8, hash = FIRST.slice(), w = [], i, t;
    for (i = 0; i < text.length; i += 1) {
      words[i >> 2] |= (text.charCodeAt(i) & 255) << (24 - (i % 4) * 8);
    }
    words[bits >> 5] |= 128 << (24 - bits % 32);
    words[(((bits + 64) >> 9) << 4) + 15] = bits;
    for (i = 0; i < words.length; i += 16) {
      var v = hash.slice();
      for (t = 0; t < 64; t += 1) {
        if (t < 16) {
          w[t] = words[i + t] | 0;
        } else {
          var x = w[t - 15], y = w[t - 2];
          var small = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
          var large = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
          w[t] = (w[t - 16] + small + w[t - 7] + large) | 0;
        }
        var e = v[4], a = v[0];
        var one = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + K[t] + w[t];
        var two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        v = [(one + two) | 0, a, v[1], v[2], (v[3] + one) | 0, e, v[5], v[6]];
      }
      for (t = 0; t < 8; t += 1) {
        hash[t] = (hash[t] + v[t]) | 0;
      }
    }
    var hex = "";
    for (i = 0; i < 8; i += 1) {
      for (t = 28; t >= 0; t -= 4) {
        hex += ((hash[i] >>> t) & 15).toString(16);
      }
    }
    return hex;
  }

  // The browser state; nothing while nobody is signed in.
  function state() {
    var found = /(?:^|;\s*)__Host-procura-state=([^;]*)/.exec(document.cookie);
    return found ? found[1] : "";
  }

  function answer(message, origin) {
    var asked = /^([\x21-\x7e]+) ([0-9a-f]{64})\.([A-Za-z0-9_\-]+)$/.exec(message);
    if (!asked || !/^[\x21-\x7e]+$/.test(origin)) {
      return "error";
    }
    var computed = sha256(asked[1] + " " + origin + " " + state() + " " + asked[3]);
    return computed === asked[2] ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    // A page without an origin of its own has nothing to compare, and nobody to answer to.
    if (typeof event.data !== "string" || !event.source || !event.origin || event.origin === "null") {
      return;
    }
    event.source.postMessage(answer(event.data, event.origin), event.origin);
  }, false);
}());
