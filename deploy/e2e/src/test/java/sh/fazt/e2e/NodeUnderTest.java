package sh.fazt.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.RunFile;

/** One node as a process of the packaged executable, in a network namespace or on loopback. */
final class NodeUnderTest implements AutoCloseable {
    static {
        // The tests name hosts that no name server knows; read when the client's classes are loaded.
        System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host");
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    /** The last line of a histogram of classes. */
    private static final Pattern TOTAL = Pattern.compile("\nTotal +\\d+ +(\\d+)");

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    final String name;
    final Path cartridge;
    /** More of it for the node's process. */
    final Map<String, String> environment = new HashMap<>();

    private final List<String> prefix;
    private final List<String> flags;
    private @Nullable Process process;
    private String http = "";
    private String swarmPort = "";
    private String password = "";
    private volatile String session = "";

    /**
     * @param prefix words before the executable, such as those that enter a namespace
     * @param flags  of {@code server start}
     */
    NodeUnderTest(Path folder, String name, List<String> prefix, List<String> flags) {
        this.name = name;
        this.cartridge = folder.resolve(name + ".db");
        this.prefix = prefix;
        this.flags = flags;
        Archives.lend(environment);
    }

    /** The packaged executable. */
    static Path executable() {
        Path file = Path.of(System.getProperty("fazt.executable", "../dist/target/fazt"))
                .toAbsolutePath()
                .normalize();
        if (!Files.isExecutable(file)) {
            throw new IllegalStateException(file + " is not built: package deploy/dist first");
        }
        return file;
    }

    /** What a command printed and how it ended. */
    record Run(int code, String out, String err) {
        JsonNode json() {
            try {
                return JSON.readTree(out);
            } catch (IOException e) {
                throw new IllegalStateException("no JSON: " + out + err, e);
            }
        }
    }

    NodeUnderTest start() throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(
                List.of(executable().toString(), "server", "start", "--db", cartridge.toString(), "--name", name));
        command.addAll(flags);
        int port = command.indexOf("--swarm-port") + 1;
        if (port > 0 && !swarmPort.isEmpty()) {
            // A node stays where it is: two that move at once would not find each other.
            command.set(port, swarmPort);
        }
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        builder.redirectError(ProcessBuilder.Redirect.appendTo(log().toFile()));
        process = builder.start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith("owner password ")) {
                password = line.substring(15).split(" ")[0];
            }
            if (line.startsWith("ready http://")) {
                http = line.substring(13);
                swarmPort = swarmAddress().substring(swarmAddress().lastIndexOf(':') + 1);
                return this;
            }
        }
        throw new IllegalStateException(name + " did not start: " + Files.readString(log()));
    }

    Path log() {
        return cartridge.resolveSibling(name + ".log");
    }

    /** {@code host:port} of its links. */
    String swarmAddress() {
        return RunFile.read(cartridge).orElseThrow().swarm();
    }

    /** What the owner is answered over REST. */
    HttpResponse<String> rest(String method, String path, String type, byte[] body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + http + path))
                .header(
                        "Authorization",
                        "Bearer " + RunFile.read(cartridge).orElseThrow().token())
                .header("Content-Type", type)
                .timeout(Duration.ofSeconds(60))
                .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /**
     * The data that the owner is answered on GET, as the command prints it that asks for the same: for whoever looks
     * again and again, since a command takes a process each time.
     */
    JsonNode look(String path) throws Exception {
        return data(path, rest("GET", path, "application/json", new byte[0]));
    }

    private JsonNode data(String path, HttpResponse<String> answer) throws IOException {
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(name + " " + path + ": " + answer.statusCode() + " " + answer.body());
        }
        return JSON.readTree(answer.body()).get("data");
    }

    /** What {@code swarm status} says. */
    JsonNode status() throws Exception {
        return look("/api/swarm/status");
    }

    /** What it tells whoever scrapes it. */
    String metrics() throws Exception {
        HttpResponse<String> answer = HTTP.send(
                admin("/metrics")
                        .header(
                                "Authorization",
                                "Bearer "
                                        + RunFile.read(cartridge).orElseThrow().token())
                        .GET()
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(name + " /metrics: " + answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    /** Joins the swarm that another node is in; its owner is this node's then. */
    void join(NodeUnderTest issuer) throws Exception {
        ok("swarm", "join", issuer.ok("swarm", "token").asText());
        password = issuer.password;
    }

    /** What REST answers the owner, who has logged in from elsewhere, on GET: the data. */
    JsonNode api(String path) throws Exception {
        return data(path, remote("GET", path, ""));
    }

    /** What REST answers the owner, who has logged in from elsewhere. */
    HttpResponse<String> remote(String method, String path, String body) throws Exception {
        HttpResponse<String> answer = session.isEmpty() ? null : inSession(method, path, body);
        // There was none, or the clock or the cartridge went back to before it; a node that corrects its clock soon
        // after
        // its start may do so between the two.
        for (int logins = 0; logins < 2 && (answer == null || answer.statusCode() == 401); logins++) {
            session = login();
            answer = inSession(method, path, body);
        }
        return Objects.requireNonNull(answer);
    }

    private String login() throws Exception {
        HttpResponse<String> login = HTTP.send(
                admin("/api/login")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"username\":\"owner\",\"password\":\"" + password + "\"}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        return login.headers()
                .firstValue("set-cookie")
                .orElseThrow(() -> new IllegalStateException(name + ": no login: " + login.body()))
                .split(";")[0];
    }

    private HttpResponse<String> inSession(String method, String path, String body) throws Exception {
        return HTTP.send(
                admin(path)
                        .header("Cookie", session)
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder admin(String path) {
        return HttpRequest.newBuilder(URI.create("http://" + http + path))
                .header("Host", "admin.localhost")
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(60));
    }

    /** Sends its process a signal. */
    void signal(String signal) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid()))
                .inheritIO()
                .start();
        if (kill.waitFor() != 0) {
            throw new IllegalStateException("no process of " + name);
        }
    }

    /** CPU time of its process so far. */
    Duration cpu() {
        return Objects.requireNonNull(process, name).info().totalCpuDuration().orElseThrow();
    }

    /** What each of its threads does. */
    String threads() throws Exception {
        return jcmd("Thread.print");
    }

    /** Bytes of the objects that are in use; collects the garbage first. */
    long liveBytes() throws Exception {
        Matcher total = TOTAL.matcher(jcmd("GC.class_histogram"));
        if (!total.find()) {
            throw new IllegalStateException(name + " does not tell what lives on its heap");
        }
        return Long.parseLong(total.group(1));
    }

    private String jcmd(String command) throws Exception {
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(pid()),
                        command)
                .redirectErrorStream(true)
                .start();
        return new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Which its links have or had. */
    String swarmPort() {
        return swarmPort;
    }

    String http() {
        return http;
    }

    String password() {
        return password;
    }

    long pid() {
        return Objects.requireNonNull(process, name).pid();
    }

    boolean isAlive() {
        return Objects.requireNonNull(process, name).isAlive();
    }

    /** How its process ended. */
    int exitCode() {
        return Objects.requireNonNull(process, name).exitValue();
    }

    /** Runs a command of fazt against this node. */
    Run fazt(String... words) throws Exception {
        return fazt("", words);
    }

    private ProcessBuilder command(String... words) {
        List<String> command = new ArrayList<>(prefix);
        command.add(executable().toString());
        command.addAll(List.of(words));
        command.addAll(List.of("--db", cartridge.toString()));
        ProcessBuilder builder = new ProcessBuilder(command);
        Archives.lend(builder.environment());
        return builder;
    }

    /** Begins a command that goes on by itself; what it prints goes to a file. */
    Process begin(Path printed, String... words) throws IOException {
        return command(words)
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile())
                .start();
    }

    Run fazt(String input, String[] words) throws Exception {
        ProcessBuilder builder = command(words);
        Path err = Files.createTempFile("fazt-e2e-", ".err");
        builder.redirectError(err.toFile());
        Process run = builder.start();
        run.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
        run.getOutputStream().close();
        String out = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!run.waitFor(120, TimeUnit.SECONDS)) {
            run.destroyForcibly();
            throw new IllegalStateException("fazt " + String.join(" ", words) + " did not end");
        }
        return new Run(run.exitValue(), out, Files.readString(err));
    }

    /** The same, and it has to succeed. */
    JsonNode ok(String... words) throws Exception {
        Run run = fazt(words);
        if (run.code() != 0) {
            String why = run.err();
            if (why.contains("the node's log says what")) {
                List<String> lines = Files.readAllLines(log());
                why += String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
            }
            throw new IllegalStateException(name + ": fazt " + String.join(" ", words) + " failed: " + why);
        }
        return run.out().startsWith("{")
                ? run.json()
                : JSON.getNodeFactory().textNode(run.out().strip());
    }

    /** What an app of this node answers. */
    HttpResponse<String> ask(String app, String method, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + http + path))
                .header("Host", app + ".localhost")
                .header("Content-Type", "application/json")
                // The first call of a function after a start compiles it, with a cold compiler.
                .timeout(Duration.ofSeconds(60))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    }

    String get(String app, String path) throws Exception {
        return ask(app, "GET", path, "").body();
    }

    /** Ends it as a power cut would. */
    void kill() throws InterruptedException {
        Process running = Objects.requireNonNull(process, name);
        running.destroyForcibly();
        running.waitFor();
    }

    /** Asks it to stop; answers how long that took. */
    Duration stop() throws InterruptedException {
        Process running = Objects.requireNonNull(process, name);
        long begin = System.nanoTime();
        running.destroy();
        if (!running.waitFor(20, TimeUnit.SECONDS)) {
            running.destroyForcibly();
            throw new IllegalStateException(name + " did not stop");
        }
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    @Override
    public void close() throws Exception {
        Process running = process;
        if (running != null && running.isAlive()) {
            running.destroyForcibly();
            running.waitFor();
        }
    }
}
