// What a screen reader and a tired eye would stumble over. Evaluated in the page; both functions give lists of complaints.
({
  names: () => {
    const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest("[inert]");
    const words = (ids) => (ids || "").split(" ").map((id) => document.getElementById(id)?.textContent || "").join(" ");
    const name = (node) => [
      node.getAttribute("aria-label"), words(node.getAttribute("aria-labelledby")), ...[...(node.labels || [])].map((label) => label.textContent),
      ["BUTTON", "A"].includes(node.tagName) ? node.textContent : "", node.getAttribute("alt"),
    ].join("").trim();
    const controls = [...document.querySelectorAll("button, a[href], input, textarea, select, video, [role=tab], [role=progressbar], [tabindex='0']")];
    const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
    const dangling = (key) => [...document.querySelectorAll(`[${key}]`)].flatMap((node) =>
      node.getAttribute(key).split(" ").filter((id) => !document.getElementById(id)).map((id) => `${key}=${id}`));
    const untold = (node) => /^page\.[a-z_.]+$/.test(node.textContent.trim());
    return {
      nameless: controls.filter((node) => seen(node) && !name(node)).map((node) => node.outerHTML.slice(0, 120)),
      doubled: ids.filter((id, at) => ids.indexOf(id) !== at),
      dangling: ["aria-controls", "aria-labelledby", "aria-describedby", "for"].flatMap(dangling),
      pictures: [...document.querySelectorAll("img:not([alt])")].length,
      untold: [...document.querySelectorAll("body *")].filter(untold).map((node) => node.textContent),
      language: document.documentElement.lang,
      headings: document.querySelectorAll("h1").length,
      mains: document.querySelectorAll("main").length,
    };
  },

  contrast: () => {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const read = (colour) => {
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
      return [red, green, blue, alpha / 255];
    };
    const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = ([red, green, blue]) => 0.2126 * channel(red / 255) + 0.7152 * channel(green / 255) + 0.0722 * channel(blue / 255);
    const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
    const ground = (node) => {
      const layers = [];
      for (let at = node; at; at = at.parentElement) layers.unshift(read(getComputedStyle(at).backgroundColor));
      return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const spared = ".visually-hidden, .skip, [aria-hidden=true], :disabled, option";
    const poor = [];
    for (const node of document.querySelectorAll("body *")) {
      const speaks = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
      if (!speaks || node.closest(spared) || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const style = getComputedStyle(node);
      const below = ground(node);
      const [high, low] = [light(over(read(style.color), below)), light(below)].sort((a, b) => b - a);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const ratio = (high + 0.05) / (low + 0.05);
      if (ratio < (isLarge ? 3 : 4.5)) poor.push(`${node.className || node.tagName} "${node.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
    }
    return poor;
  },
})
