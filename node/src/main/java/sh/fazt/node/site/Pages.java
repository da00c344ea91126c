package sh.fazt.node.site;

import java.nio.charset.StandardCharsets;
import java.util.List;
import sh.fazt.node.http.Reply;

/** The node's own pages for visitors. Pure. */
public final class Pages {
    private Pages() {}

    /** An app that has no page of its own for what is not there. */
    static Reply notFound(String app) {
        return page(
                404, "Not found", "<b>" + escape(app) + "</b> has no such page. <a href=\"/\">To its start page</a>");
    }

    /** A host that leads nowhere. */
    public static Reply noSite(String host, String label) {
        return page(
                404,
                "No site here",
                "Nothing answers for <b>" + escape(host) + "</b> on this node."
                        + (label.isEmpty()
                                ? ""
                                : " To put a site here: <code>fazt app deploy DIR --name " + escape(label)
                                        + "</code>"));
    }

    /** An app that other members keep. */
    public static Reply elsewhere(String app, List<String> holders) {
        return page(
                421,
                "Kept elsewhere",
                "<b>" + escape(app) + "</b> is not kept on this node, but on <b>" + escape(String.join(", ", holders))
                        + "</b>.");
    }

    /** An app whose files have not arrived yet. */
    public static Reply notHereYet(String app) {
        return page(503, "On its way", "<b>" + escape(app) + "</b> has not arrived on this node yet.")
                .with("retry-after", "2");
    }

    /** A file that other members keep, and that this node has not got yet. */
    static Reply notReachable(String app, long size, Arrivals.Refused refused) {
        String text = "This file of <b>" + escape(app) + "</b> (" + size + " bytes) is kept on other nodes. ";
        return page(
                        503,
                        "Not here",
                        text
                                + switch (refused) {
                                    case NOBODY -> "None that has it can be reached from here now.";
                                    case LATE -> "It is on its way here and takes longer than a page should.";
                                    case BUSY -> "This node has too much to do to send it now.";
                                })
                .with("retry-after", refused == Arrivals.Refused.NOBODY ? "30" : "5");
    }

    private static Reply page(int status, String title, String text) {
        String html = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\""
                + " content=\"width=device-width, initial-scale=1\"><title>" + title + "</title><style>"
                + ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
                + "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem}"
                + "main{max-width:34rem}h1{margin:0 0 .5rem}code{overflow-wrap:anywhere}</style><main><h1>" + title
                + "</h1><p>" + text + "</p></main></html>\n";
        return Reply.of(status, "text/html; charset=utf-8", html.getBytes(StandardCharsets.UTF_8))
                .with("cache-control", "no-store");
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
