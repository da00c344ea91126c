package sh.fazt.node;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.route.Route;
import sh.fazt.hosting.route.Routes;
import sh.fazt.node.api.ApiHandler;
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
    /** What a function takes: larger things are uploads, which it has no use for. */
    private static final long FUNCTION_BODY = 10 << 20;

    private final String domain;
    private final Routes routes;
    private final Ready ready;
    private final SiteHandler sites;
    private final ApiHandler api;
    private final Auth auth;

    Front(String domain, Routes routes, Ready ready, SiteHandler sites, ApiHandler api, Auth auth) {
        this.domain = domain;
        this.routes = routes;
        this.ready = ready;
        this.sites = sites;
        this.api = api;
        this.auth = auth;
    }

    /** The label that a host name stands for; null when it is not of this domain. */
    private @Nullable String label(String host) {
        if (host.equals(domain)) {
            return Routes.ROOT;
        }
        if (host.length() > domain.length() + 1
                && host.endsWith(domain)
                && host.charAt(host.length() - domain.length() - 1) == '.') {
            String label = host.substring(0, host.length() - domain.length() - 1);
            return label.indexOf('.') < 0 ? label : null;
        }
        return null;
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
    public long bodyLimit(HttpRequest request) {
        return request.method() == HttpMethod.PUT && request.uri().startsWith("/api/blobs/")
                ? Manifest.MOST_FILE_BYTES
                : FUNCTION_BODY;
    }

    @Override
    public void handle(Exchange exchange) throws Exception {
        String label = label(exchange.host());
        // The command on this machine speaks to an address, whatever the domain is.
        if (ADMIN.equals(label) || exchange.rawPath().startsWith("/api/") && auth.local(exchange)) {
            api.handle(exchange);
            return;
        }
        Route route = label == null ? null : routes.find(label);
        if (route != null && route.release() != null) {
            sites.handle(exchange, route);
        } else if (route != null) {
            exchange.reply(Pages.notHereYet(route.name()));
        } else if (exchange.rawPath().equals("/health")) {
            exchange.reply(Reply.text(200, "ok\n"));
        } else {
            exchange.reply(Pages.noSite(exchange.host(), label == null ? "" : label));
        }
    }
}
