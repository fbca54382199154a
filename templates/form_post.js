// Sends the answer on as soon as the page is there.
document.getElementById("form-post").submit();
