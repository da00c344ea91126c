const byId = (id) => document.getElementById(id);

async function load() {
  const answer = await fetch("/api/entries");
  if (!answer.ok) throw new Error(`the app answered ${answer.status}`);
  const { entries, visits } = await answer.json();
  byId("visits").textContent = visits;
  byId("entries").replaceChildren(
    ...entries.map(({ name, text, at }) => {
      const item = document.createElement("li");
      const who = document.createElement("strong");
      const when = document.createElement("small");
      who.textContent = name;
      when.textContent = new Date(at).toLocaleTimeString();
      item.append(who, ` ${text}`, when);
      return item;
    }),
  );
}

const show = (error) => (byId("problem").textContent = error ? String(error.message) : "");
const refresh = () => load().then(() => show(), show);

byId("node").textContent = location.host;
byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const answer = await fetch("/api/entries", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: byId("name").value, text: byId("text").value }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
    byId("text").value = "";
    await load();
    show();
  } catch (error) {
    show(error);
  }
});

fetch("/api/visit", { method: "POST" }).then(refresh, show);
setInterval(refresh, 1000);
