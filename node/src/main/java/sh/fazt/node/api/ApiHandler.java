package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.release.Deployments;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.release.Release;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.config.Settings;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;
import sh.fazt.node.http.Reply;

/** The REST surface. Thread-safe. */
public final class ApiHandler {
    private final Auth auth;
    private final Accounts accounts;
    private final Apps apps;
    private final Deployments deployments;
    private final Settings settings;
    private final ChangeEvents events;
    private final Supplier<ObjectNode> health;
    private final Supplier<String> nodeName;
    private final Function<Exchange, Function<App, String>> urls;

    /**
     * @param nodeName what deploys made here are signed with
     * @param urls     for a request, where visitors find an app
     */
    public ApiHandler(
            Auth auth,
            Accounts accounts,
            Apps apps,
            Deployments deployments,
            Settings settings,
            ChangeEvents events,
            Supplier<ObjectNode> health,
            Supplier<String> nodeName,
            Function<Exchange, Function<App, String>> urls) {
        this.auth = auth;
        this.accounts = accounts;
        this.apps = apps;
        this.deployments = deployments;
        this.settings = settings;
        this.events = events;
        this.health = health;
        this.nodeName = nodeName;
        this.urls = urls;
    }

    /** Answers a request on the admin host. */
    public void handle(Exchange exchange) throws IOException {
        String path = exchange.rawPath();
        try {
            if (path.equals("/health")) {
                exchange.reply(Reply.json(200, "{\"status\":\"ok\"}\n".getBytes(StandardCharsets.UTF_8)));
            } else if (!path.equals("/api") && !path.startsWith("/api/")) {
                exchange.reply(AdminPage.serve(exchange));
            } else {
                api(exchange, path);
            }
        } catch (RuntimeException e) {
            Problem problem = Problem.of(e);
            if (problem.status() == 500) {
                throw e;
            }
            exchange.reply(Json.error(problem));
        }
    }

    private void api(Exchange exchange, String path) throws IOException {
        String[] parts = path.substring(1).split("/", -1);
        for (int i = 0; i < parts.length; i++) {
            parts[i] = URLDecoder.decode(parts[i], StandardCharsets.UTF_8);
        }
        String route = exchange.method() + " " + path;
        switch (route) {
            case "POST /api/login" -> {
                login(exchange);
                return;
            }
            case "POST /api/logout" -> {
                auth.checkOrigin(exchange);
                String token = auth.token(exchange);
                if (token != null) {
                    accounts.logout(token);
                }
                exchange.reply(Json.data(200, Json.object()).with("set-cookie", Auth.cookie(null, false)));
                return;
            }
            case "GET /api/auth/status" -> {
                exchange.reply(Json.data(
                        200,
                        Json.object()
                                .put(
                                        "authenticated",
                                        auth.local(exchange)
                                                || auth.session(exchange).isPresent())));
                return;
            }
            default -> auth.require(exchange);
        }
        switch (route) {
            case "GET /api/system/health" -> exchange.reply(Json.data(200, health.get()));
            case "GET /api/events" -> events.open(exchange);
            case "GET /api/apps" -> exchange.reply(Json.data(200, list(exchange)));
            case "POST /api/deploy" -> deploy(exchange);
            case "GET /api/config" -> exchange.reply(Json.data(200, config()));
            case "PUT /api/config" -> {
                ObjectNode body = Json.body(exchange);
                String key = Json.required(body, "key");
                settings.set(key, body.path("value").asText());
                exchange.reply(Json.data(
                        200,
                        Json.object()
                                .put("key", key)
                                .put("value", body.path("value").asText())
                                .put("restart", true)));
            }
            default -> nested(exchange, parts);
        }
    }

    private void nested(Exchange exchange, String[] parts) throws IOException {
        String shape = exchange.method() + " " + parts[1] + " " + parts.length + " " + parts[parts.length - 1];
        if (parts.length == 3 && shape.startsWith("PUT blobs")) {
            upload(exchange, parts[2]);
        } else if (parts.length == 3 && shape.startsWith("GET apps")) {
            exchange.reply(Json.data(200, app(apps.require(parts[2]), exchange)));
        } else if (shape.equals("GET apps 4 releases")) {
            ArrayNode list = Json.array();
            deployments.releases(parts[2]).forEach(release -> list.add(release(release)));
            exchange.reply(Json.data(200, Json.object().set("releases", list)));
        } else if (shape.equals("POST apps 4 activate")) {
            deployments.activate(parts[2], Json.required(Json.body(exchange), "release"));
            exchange.reply(Json.data(200, app(apps.require(parts[2]), exchange)));
        } else {
            throw new Problem.Thrown(
                    404, "NOT_FOUND", "there is no " + exchange.method() + " " + exchange.rawPath() + " here");
        }
    }

    private void login(Exchange exchange) throws IOException {
        auth.checkOrigin(exchange);
        ObjectNode body = Json.body(exchange);
        String token = accounts.login(Json.required(body, "username"), Json.required(body, "password"), exchange.ip());
        exchange.reply(Json.data(
                        200, Json.object().put("username", body.get("username").asText()))
                .with("set-cookie", Auth.cookie(token, false)));
    }

    private void deploy(Exchange exchange) throws IOException {
        ObjectNode body = Json.body(exchange);
        String name = Json.required(body, "name");
        JsonNode files = body.get("manifest");
        if (files == null || !files.isArray()) {
            throw new Problem.Thrown(
                    400, "MISSING_FIELD", "Required field is missing: manifest ([{path, sha256, size}, ...])");
        }
        List<Manifest.File> list = new ArrayList<>();
        for (JsonNode file : files) {
            if (!file.path("path").isTextual()
                    || !file.path("sha256").isTextual()
                    || !file.path("size").isIntegralNumber()) {
                throw new Problem.Thrown(
                        400, "VALIDATION_FAILED", "a file of the manifest is {path, sha256, size}, not " + file);
            }
            list.add(new Manifest.File(
                    file.path("path").textValue(),
                    file.path("sha256").textValue(),
                    file.path("size").longValue()));
        }
        Deployments.Offer offer = deployments.offer(name, new Manifest(list), nodeName.get());
        if (offer instanceof Deployments.Offer.Missing missing) {
            ArrayNode hashes = Json.array();
            missing.hashes().forEach(hashes::add);
            exchange.reply(Json.data(200, Json.object().set("missing", hashes)));
        } else {
            Deployments.Offer.Deployed deployed = (Deployments.Offer.Deployed) offer;
            exchange.reply(Json.data(
                    201,
                    Json.object()
                            .put("app", deployed.app())
                            .put("name", deployed.name())
                            .put("release", deployed.release())
                            .put("files", deployed.files())
                            .put("bytes", deployed.bytes())
                            .put("url", urls.apply(exchange).apply(apps.require(deployed.app())))));
        }
    }

    private void upload(Exchange exchange, String hash) throws IOException {
        try (InputStream in = exchange.body()) {
            deployments.upload(hash, exchange.bodyLength(), in);
        }
        exchange.reply(Json.data(201, Json.object().put("sha256", hash).put("size", exchange.bodyLength())));
    }

    private ObjectNode list(Exchange exchange) {
        ArrayNode list = Json.array();
        apps.list().forEach(app -> list.add(app(app, exchange)));
        return Json.object().set("apps", list);
    }

    private ObjectNode app(App app, Exchange exchange) {
        return Json.object()
                .put("id", app.id())
                .put("name", app.name())
                .put("release", app.release())
                .put("files", app.files())
                .put("bytes", app.bytes())
                .put("updated_at", app.updatedAt().toString())
                .put("url", urls.apply(exchange).apply(app));
    }

    private static ObjectNode release(Release release) {
        return Json.object()
                .put("id", release.id())
                .put("node", release.node())
                .put("created_at", release.createdAt().toString())
                .put("files", release.files())
                .put("bytes", release.bytes())
                .put("active", release.active());
    }

    private ObjectNode config() {
        ArrayNode list = Json.array();
        settings.list()
                .forEach(entry -> list.add(Json.object()
                        .put("key", entry.key())
                        .put("value", entry.value())
                        .put("source", entry.source())
                        .put("default", entry.otherwise())
                        .put("meaning", entry.meaning())));
        return Json.object().set("config", list);
    }
}
