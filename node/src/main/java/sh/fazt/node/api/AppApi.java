package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.release.Deployments;
import sh.fazt.hosting.release.Deployments.Offer;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.release.Release;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;

/** Apps, their releases, and deploys: by manifest and blobs, or by one zip. Thread-safe. */
public final class AppApi implements Router.Endpoints {
    private final Apps apps;
    private final Deployments deployments;
    private final Supplier<String> nodeName;
    private final Function<App, String> urls;
    private final Function<String, PlacementControl.@Nullable Elsewhere> elsewhere;

    /**
     * @param nodeName what deploys made here are signed with
     * @param urls     where visitors find an app
     * @param elsewhere who keeps an app, by name or id, where it is not kept here
     */
    public AppApi(
            Apps apps,
            Deployments deployments,
            Supplier<String> nodeName,
            Function<App, String> urls,
            Function<String, PlacementControl.@Nullable Elsewhere> elsewhere) {
        this.elsewhere = elsewhere;
        this.apps = apps;
        this.deployments = deployments;
        this.nodeName = nodeName;
        this.urls = urls;
    }

    @Override
    public void addTo(Router router) {
        router.add("GET", "/api/apps", Access.OWNER, this::list);
        router.add(
                "GET",
                "/api/apps/*",
                Access.OWNER,
                call -> call.exchange().reply(Json.data(200, app(apps.require(here(call.open(0)))))));
        router.add("GET", "/api/apps/*/releases", Access.OWNER, this::releases);
        router.add("POST", "/api/apps/*/activate", Access.OWNER, this::activate);
        router.add("POST", "/api/deploy", Access.OWNER, this::deploy);
        router.add("PUT", "/api/blobs/*", Access.OWNER, this::upload);
    }

    /** The same name or id, unless other members keep that app: here it would be a second one. */
    private String here(String app) {
        PlacementControl.Elsewhere kept = elsewhere.apply(app);
        if (kept != null) {
            throw new Problem.Thrown(Kind.ELSEWHERE, "KEPT_ELSEWHERE", kept.text());
        }
        return app;
    }

    private void list(Call call) {
        ArrayNode list = Json.array();
        apps.list().forEach(app -> list.add(app(app)));
        call.exchange().reply(Json.data(200, Json.object().set("apps", list)));
    }

    private void releases(Call call) {
        ArrayNode list = Json.array();
        deployments.releases(here(call.open(0))).forEach(release -> list.add(release(release)));
        call.exchange().reply(Json.data(200, Json.object().set("releases", list)));
    }

    private void activate(Call call) throws IOException {
        deployments.activate(here(call.open(0)), Json.required(Json.body(call.exchange()), "release"));
        call.exchange().reply(Json.data(200, app(apps.require(call.open(0)))));
    }

    private void deploy(Call call) throws IOException {
        Exchange exchange = call.exchange();
        String type = String.valueOf(exchange.header("content-type"));
        String plain = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        switch (plain) {
            case "application/json" -> offer(exchange);
            case "multipart/form-data" -> {
                try (Upload upload = Upload.ofForm(type, exchange.body())) {
                    bundle(exchange, upload);
                }
            }
            case "application/zip" -> {
                try (Upload upload = Upload.ofZip(exchange.query(), exchange.body())) {
                    bundle(exchange, upload);
                }
            }
            default ->
                throw new Problem.Thrown(
                        Kind.UNSUPPORTED,
                        "UNSUPPORTED_MEDIA_TYPE",
                        "a deploy is application/json (a manifest), multipart/form-data (site_name, and file: a zip) or"
                                + " application/zip (with ?name=), not \"" + plain + "\"");
        }
    }

    /** One zip, whole: unpacked, checked, released. */
    private void bundle(Exchange exchange, Upload upload) throws IOException {
        String name = upload.appName();
        Apps.checkName(here(name));
        try (Bundle bundle = Bundle.open(upload.zip(), upload.flag("spa"))) {
            Offer offer = deployments.offer(name, bundle.manifest(), nodeName.get());
            int uploaded = 0;
            if (offer instanceof Offer.Missing missing) {
                for (String hash : missing.hashes()) {
                    Manifest.File file = bundle.file(hash);
                    try (InputStream in = bundle.open(file)) {
                        deployments.upload(hash, file.size(), in);
                    }
                    uploaded++;
                }
                offer = deployments.offer(name, bundle.manifest(), nodeName.get());
            }
            if (!(offer instanceof Offer.Deployed deployed)) {
                throw new IllegalStateException("blobs that were just stored are not here");
            }
            // What the original answered, for those who wrote to it, beside our own words.
            exchange.reply(Json.data(
                    200,
                    deployed(deployed)
                            .put("uploaded_files", uploaded)
                            .put("site", deployed.name())
                            .put("file_count", deployed.files())
                            .put("size_bytes", deployed.bytes())
                            .put("message", "Deployment successful")));
        }
    }

    /** A manifest: answers what is missing, or that it is released. */
    private void offer(Exchange exchange) throws IOException {
        ObjectNode body = Json.body(exchange);
        String name = here(Json.required(body, "name"));
        JsonNode files = body.get("manifest");
        if (files == null || !files.isArray()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "Required field is missing: manifest ([{path, sha256, size}, ...])");
        }
        List<Manifest.File> list = new ArrayList<>();
        for (JsonNode file : files) {
            if (!file.path("path").isTextual()
                    || !file.path("sha256").isTextual()
                    || !file.path("size").isIntegralNumber()) {
                throw new Problem.Thrown(
                        Kind.INVALID,
                        "VALIDATION_FAILED",
                        "a file of the manifest is {path, sha256, size}, not " + file);
            }
            list.add(new Manifest.File(
                    file.path("path").textValue(),
                    file.path("sha256").textValue(),
                    file.path("size").longValue()));
        }
        Offer offer = deployments.offer(name, new Manifest(list), nodeName.get());
        if (offer instanceof Offer.Missing missing) {
            ArrayNode hashes = Json.array();
            missing.hashes().forEach(hashes::add);
            exchange.reply(Json.data(200, Json.object().set("missing", hashes)));
        } else {
            exchange.reply(Json.data(201, deployed((Offer.Deployed) offer)));
        }
    }

    private ObjectNode deployed(Offer.Deployed deployed) {
        return Json.object()
                .put("app", deployed.app())
                .put("name", deployed.name())
                .put("release", deployed.release())
                .put("files", deployed.files())
                .put("bytes", deployed.bytes())
                .put("url", urls.apply(apps.require(deployed.app())));
    }

    private void upload(Call call) throws IOException {
        Exchange exchange = call.exchange();
        String hash = call.open(0);
        if (!hash.matches("[0-9a-f]{64}")) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "VALIDATION_FAILED",
                    "a blob is named by its SHA-256, 64 lower-case hex digits, not \"" + hash + "\"");
        }
        long size = exchange.bodyLength();
        if (size >= 0) {
            deployments.upload(hash, size, exchange.body());
        } else {
            // Sent without a length: only its end tells how long it is.
            Path whole = Files.createTempFile("fazt-blob-", ".tmp");
            try {
                size = Files.copy(exchange.body(), whole, StandardCopyOption.REPLACE_EXISTING);
                try (InputStream in = Files.newInputStream(whole)) {
                    deployments.upload(hash, size, in);
                }
            } finally {
                Files.deleteIfExists(whole);
            }
        }
        exchange.reply(Json.data(201, Json.object().put("sha256", hash).put("size", size)));
    }

    private ObjectNode app(App app) {
        return Json.object()
                .put("id", app.id())
                .put("name", app.name())
                .put("release", app.release())
                .put("files", app.files())
                .put("bytes", app.bytes())
                .put("updated_at", app.updatedAt().toString())
                .put("url", urls.apply(app));
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
}
