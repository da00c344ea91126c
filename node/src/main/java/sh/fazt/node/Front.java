package sh.fazt.node;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.route.Route;
import sh.fazt.hosting.route.Routes;
import sh.fazt.node.api.ApiHandler;
import sh.fazt.node.api.PlacementControl;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.http.Dispatcher;
import sh.fazt.node.http.Exchange;
import sh.fazt.node.http.Reply;
import sh.fazt.node.site.Pages;
import sh.fazt.node.site.Ready;
import sh.fazt.node.site.SiteHandler;

/** The host decides: the admin host is the control plane, every other label a site. Thread-safe. */
final class Front implements Dispatcher {
    private static final String ADMIN = "admin";
    /** Names below it lead to this machine everywhere, so they work with no set-up, whatever the domain is. */
    private static final String LOCAL = "localhost";

    private final String domain;
    private final Routes routes;
    private final Ready ready;
    private final SiteHandler sites;
    private final ApiHandler api;
    private final Auth auth;
    private final long functionBody;
    private final Function<String, PlacementControl.@Nullable Elsewhere> elsewhere;

    /**
     * @param functionBody the longest body that a function takes, in bytes
     * @param elsewhere    who keeps the app that a label leads to, where it is not kept here
     */
    Front(
            String domain,
            Routes routes,
            Ready ready,
            SiteHandler sites,
            ApiHandler api,
            Auth auth,
            long functionBody,
            Function<String, PlacementControl.@Nullable Elsewhere> elsewhere) {
        this.elsewhere = elsewhere;
        this.domain = domain;
        this.routes = routes;
        this.ready = ready;
        this.sites = sites;
        this.api = api;
        this.auth = auth;
        this.functionBody = functionBody;
    }

    /** The label that a host name stands for; null when it is not of this domain, nor of this machine. */
    private @Nullable String label(String host) {
        if (host.equals(domain)) {
            return Routes.ROOT;
        }
        String label = below(host, domain);
        return label == null ? below(host, LOCAL) : label;
    }

    private static @Nullable String below(String host, String domain) {
        int dot = host.length() - domain.length() - 1;
        return dot > 0 && host.charAt(dot) == '.' && host.endsWith(domain) && host.indexOf('.') == dot
                ? host.substring(0, dot)
                : null;
    }

    @Override
    public boolean serveReady(ChannelHandlerContext context, HttpRequest request) {
        String header = request.headers().get(HttpHeaderNames.HOST);
        if (header == null) {
            return false;
        }
        int colon = header.indexOf(':');
        String label = label((colon < 0 ? header : header.substring(0, colon)).toLowerCase(Locale.ROOT));
        if (label == null || label.equals(ADMIN)) {
            return false;
        }
        Route route = routes.find(label);
        return route != null && ready.serve(context, request, route);
    }

    @Override
    public BodyPlan plan(Exchange exchange) {
        return control(exchange) ? api.plan(exchange) : new BodyPlan(false, functionBody);
    }

    /**
     * Whether it is for the control plane. The command on this machine speaks to an address, whatever the domain is; from
     * another one it is told there why it may not.
     */
    private boolean control(Exchange exchange) {
        return ADMIN.equals(label(exchange.host()))
                || (exchange.rawPath().startsWith("/api/") && auth.showsToken(exchange.header("authorization")));
    }

    @Override
    public void handle(Exchange exchange) throws Exception {
        String label = label(exchange.host());
        if (control(exchange)) {
            api.handle(exchange);
            return;
        }
        Route route = label == null ? null : routes.find(label);
        PlacementControl.Elsewhere kept = label == null || route != null ? null : elsewhere.apply(label);
        if (route != null && route.release() != null) {
            sites.handle(exchange, route);
        } else if (route != null) {
            exchange.reply(Pages.notHereYet(route.name()));
        } else if (kept != null) {
            exchange.reply(Pages.elsewhere(kept.app().name(), kept.holders()));
        } else if (exchange.rawPath().equals("/health")) {
            exchange.reply(Reply.text(200, "ok\n"));
        } else {
            exchange.reply(Pages.noSite(exchange.host(), label == null ? "" : label));
        }
    }
}
