/* What the site's search shows first: pages whose keywords or titles are asked for, then
   pages of this library that speak of it and its own names, and last what the library
   offers under the names of others. */
const OF_OTHERS = /^api\/compat|^genindex|^changelog$/;

var Scorer = {
  score: ([docname, title, anchor, description, score, filename, kind]) => {
    if (OF_OTHERS.test(docname)) return score / 10;
    if (kind === "index") return score > 99 ? 100 : score / 4;
    return score;
  },
  objNameMatch: 20,
  objPartialMatch: 3,
  objPrio: { 0: 5, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 40,
  partialTitle: 8,
  term: 10,
  partialTerm: 2,
};
