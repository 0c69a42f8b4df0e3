"use strict";
const go = new Go();
WebAssembly.instantiateStreaming(fetch("app.wasm"), go.importObject)
	.then(({instance}) => go.run(instance))
	.catch(err => { document.getElementById("problem").textContent = String(err); });
