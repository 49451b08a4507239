  // Thousands of pictures, of which only the cards in sight exist. What a card shows is fetched when it comes into sight.
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const [gallery, large, tip] = ["gallery", "large", "tip"].map(at);
  const pictures = data.pictures.map(([name, address, width, height, confidence, seconds, areas, remarks], index) => {
    const shares = [];
    for (let i = 0; i < areas.length; i += 2) shares.push([areas[i], areas[i + 1]]);
    return { name, address, width, height, confidence, seconds, shares, remarks, index };
  });
  const inFolder = (folder, address, ending) => `${folder}/${address}${ending}`;
  const percent = (share) => (share >= 0.0005 || share === 0 ? `${(100 * share).toFixed(1)} %` : "< 0.1 %");
  const colours = data.colours.map((text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)));
  const hidden = new Set();
  const make = (tag, attributes, ...children) => {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children);
    return made;
  };

  // ---- label maps: scripts that lie beside the page, for a page on disk may not read a picture's pixels

  const kept = new Map(), waiting = new Map(), MOST = 300;
  const pixels = async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = make("canvas", { width: image.width, height: image.height });
    const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  window.ifsegPicture = async (address, { labels, confidence }) => {
    const [first, second] = await Promise.all([pixels(labels), pixels(confidence)]);
    kept.set(address, { labels: first, confidence: second });
    if (kept.size > MOST) kept.delete(kept.keys().next().value);
    waiting.get(address)?.forEach((show) => show());
    waiting.delete(address);
  };
  const whenThere = (address, show) => {
    if (kept.has(address)) return show();
    if (waiting.has(address)) return void waiting.get(address).push(show);
    waiting.set(address, [show]);
    const gone = () => waiting.delete(address);
    const script = make("script", { src: inFolder("thumbnails", address, ".labels.js"), onerror: gone });
    script.onload = () => script.remove();
    document.head.append(script);
  };
  // Grey holds an index and one; where a byte cannot, red and green do.
  const label = ({ data: bytes }, i) => bytes[4 * i] + (data.names.length > 255 ? 256 * bytes[4 * i + 1] : 0) - 1;

  const paint = (canvas, address) => {
    const found = kept.get(address);
    if (!found || !canvas.isConnected) return;
    const { width, height } = found.labels;
    Object.assign(canvas, { width, height });
    const drawn = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const which = label(found.labels, i);
      if (which < 0 || hidden.has(which)) continue;
      drawn.data.set(colours[which], 4 * i);
      drawn.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(drawn, 0, 0);
  };
  const repaint = () => document.querySelectorAll("canvas[data-address]").forEach((each) => paint(each, each.dataset.address));

  // ---- a picture, small or large

  const frame = (picture) => {
    const canvas = make("canvas", {});
    canvas.dataset.address = picture.address;
    const image = make("img", { src: inFolder("thumbnails", picture.address, ".photo.jpg"), alt: picture.name, decoding: "async" });
    const made = make("div", { className: "picture" }, image, canvas);
    made.addEventListener("pointermove", (event) => tell(event, made, picture));
    made.addEventListener("pointerleave", () => (tip.hidden = true));
    setTimeout(() => whenThere(picture.address, () => paint(canvas, picture.address)));
    return made;
  };
  const chips = (picture) => {
    const swatch = (which) => Object.assign(make("span", { className: "swatch" }), { style: `background: ${data.colours[which]}` });
    const items = picture.shares.map(([which, share]) =>
      make("li", {}, swatch(which), data.names[which], make("span", { className: "number", textContent: percent(share) })));
    const ignored = 1 - picture.shares.reduce((sum, [, share]) => sum + share, 0);
    if (ignored > 0.0001) items.push(make("li", { className: "faint", textContent: `ignored ${percent(ignored)}` }));
    return make("ul", {}, ...items, ...picture.remarks.map((textContent) => make("li", { className: "faint", textContent })));
  };
  const facts = (picture) => `${picture.width} × ${picture.height} · mean confidence ${picture.confidence.toFixed(2)} · ${picture.seconds.toFixed(2)} s`;
  const text = (picture, ...more) => make("div", { className: "text" },
    make("h3", { textContent: picture.name, title: picture.name }),
    make("span", { className: "number", textContent: facts(picture) }), chips(picture), ...more);

  // What lies under the pointer: the picture fills its frame one way and is centred the other.
  const tell = (event, made, picture) => {
    const found = kept.get(picture.address), box = made.getBoundingClientRect();
    const scale = Math.min(box.width / picture.width, box.height / picture.height);
    const x = (event.clientX - box.left - (box.width - scale * picture.width) / 2) / (scale * picture.width);
    const y = (event.clientY - box.top - (box.height - scale * picture.height) / 2) / (scale * picture.height);
    if (!found || x < 0 || y < 0 || x >= 1 || y >= 1) return void (tip.hidden = true);
    const under = ({ width, height }) => Math.floor(y * height) * width + Math.floor(x * width);
    const which = label(found.labels, under(found.labels));
    const sure = found.confidence.data[4 * under(found.confidence)] / 255;
    tip.textContent = which < 0 ? "ignored" : `${data.names[which]} · ${sure.toFixed(2)}`;
    tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 6)}px`;
    tip.style.top = `${Math.max(4, event.clientY - 34)}px`;
  };

  // ---- the gallery: which pictures, in which order, and the cards in sight

  const HEIGHT = 356, GAP = 20, WIDEST = 330;
  const cards = new Map();
  let shown = pictures, columns = 1, open = -1, current = 0;
  const layOut = () => {
    columns = Math.max(1, Math.floor((gallery.clientWidth + GAP) / (WIDEST + GAP)));
    gallery.style.height = `${Math.ceil(shown.length / columns) * (HEIGHT + GAP)}px`;
    const width = (gallery.clientWidth - GAP * (columns - 1)) / columns;
    const top = gallery.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / (HEIGHT + GAP)) - 1) * columns;
    const last = Math.min(shown.length, (Math.ceil((innerHeight - top) / (HEIGHT + GAP)) + 1) * columns);
    for (const [place, card] of cards) {
      if (place < first || place >= last || card.picture !== shown[place]) { card.remove(); cards.delete(place); }
    }
    for (let place = first; place < last; place++) {
      let card = cards.get(place);
      if (!card) {
        card = make("article", { className: "card", tabIndex: 0, picture: shown[place] }, frame(shown[place]), text(shown[place]));
        card.addEventListener("click", () => enlarge(place));
        card.addEventListener("focus", () => (current = place));
        cards.set(place, card);
        gallery.append(card);
      }
      Object.assign(card.style, { width: `${width}px`, height: `${HEIGHT}px`, left: `${(place % columns) * (width + GAP)}px`, top: `${Math.floor(place / columns) * (HEIGHT + GAP)}px` });
    }
  };
  const shareOf = (picture, which) => picture.shares.find(([each]) => each === which)?.[1] ?? 0;
  const choose = () => {
    const only = at("only").value === "" ? null : Number(at("only").value);
    const least = Number(at("least").value) / 100, part = at("name").value.toLowerCase();
    shown = pictures.filter((each) => (only === null ? true : shareOf(each, only) > 0 && shareOf(each, only) >= least) && each.name.toLowerCase().includes(part));
    const largest = (each) => (only === null ? each.shares[0]?.[1] ?? 0 : shareOf(each, only));
    const orders = {
      given: (a, b) => a.index - b.index, unsure: (a, b) => a.confidence - b.confidence, sure: (a, b) => b.confidence - a.confidence,
      name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }), area: (a, b) => largest(b) - largest(a),
    };
    shown.sort(orders[at("sort").value]);
    document.querySelectorAll("[data-only]").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.only === at("only").value)));
    at("count").textContent = `${shown.length.toLocaleString("en")} of ${pictures.length.toLocaleString("en")}`;
    at("empty").hidden = shown.length > 0;
    current = 0;
    layOut();
  };
  const enlarge = (place) => {
    if (place < 0 || place >= shown.length) return;
    const picture = shown[open = current = place];
    const step = (by, textContent) => make("button", { type: "button", textContent, onclick: () => enlarge(open + by) });
    const link = (href, textContent) => make("a", { href, textContent });
    const nav = make("nav", {}, step(-1, "← previous"), step(1, "next →"), link(inFolder("overlays", picture.address, ".jpg"), "overlay with legend"),
      link(`${picture.address}.png`, "mask (PNG)"), make("button", { type: "button", textContent: "close", onclick: () => large.close() }));
    large.replaceChildren(frame(picture), text(picture, nav));
    if (!large.open) large.showModal();
    layOut();
  };
  const focus = (place) => {
    if (place < 0 || place >= shown.length) return;
    current = place;
    const top = gallery.getBoundingClientRect().top + Math.floor(place / columns) * (HEIGHT + GAP);
    if (top < 90 || top + HEIGHT > innerHeight) scrollBy(0, top - 90);
    layOut();
    cards.get(place)?.focus({ preventScroll: true });
  };

  // ---- what people do

  const strengthen = (value) => { at("strength").value = value; document.body.style.setProperty("--strength", value / 100); };
  at("strength").addEventListener("input", (event) => strengthen(event.target.value));
  ["sort", "only", "least", "name"].forEach((id) => at(id).addEventListener("input", choose));
  at("tools").addEventListener("submit", (event) => event.preventDefault());
  const boxes = document.querySelectorAll("[data-class]");
  const toggle = (box) => { hidden[box.checked ? "delete" : "add"](Number(box.dataset.class)); repaint(); };
  boxes.forEach((box) => box.addEventListener("change", () => toggle(box)));
  [["all", true], ["none", false]].forEach(([id, checked]) => at(id)?.addEventListener("click", () => boxes.forEach((box) => { box.checked = checked; toggle(box); })));
  document.querySelectorAll("[data-only]").forEach((each) => each.addEventListener("click", () => {
    at("only").value = at("only").value === each.dataset.only ? "" : each.dataset.only;
    choose();
  }));
  large.addEventListener("close", () => { const last = open; open = -1; large.replaceChildren(); tip.hidden = true; focus(last); });
  large.addEventListener("click", (event) => event.target === large && large.close());
  addEventListener("scroll", () => requestAnimationFrame(layOut), { passive: true });
  addEventListener("resize", layOut);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }, step = moves[event.key];
    const strengths = { 1: 0, 2: 60, 3: 100 };
    if (event.key in strengths) strengthen(strengths[event.key]);
    else if (event.key === "/") { event.preventDefault(); at("name").focus(); }
    else if (large.open && Math.abs(step) === 1) enlarge(open + step);
    else if (!large.open && step && (event.target.matches(".card") || Math.abs(step) === 1)) { event.preventDefault(); focus(event.target.matches(".card") ? current + step : current); }
    else if (event.key === "Enter" && event.target.matches(".card")) { event.preventDefault(); enlarge(current); }
  });
  choose();
