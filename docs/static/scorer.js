/* What the site's search shows first: pages that have the query for a keyword, then those
   with it in a title or heading, then names of this library, then pages that say it, and
   last what the library offers under the names of others. */
const OF_OTHERS = /^api\/compat|^changelog$/;

var Scorer = {
  score: ([docname, title, anchor, description, score, filename, kind]) => {
    if (OF_OTHERS.test(docname)) return score / 10;
    if (kind !== "index") return score;
    const isWholeKeyword = score === 100;
    if (!isWholeKeyword) return score / 4;
    return docname.startsWith("api/") ? 60 : 100;
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
