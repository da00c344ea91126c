package sh.fazt.node.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.http.Exchange;

/** Who the owner is: login, logout, password, status. Thread-safe. */
public final class AccountApi implements Router.Endpoints {
    private final Auth auth;
    private final Accounts accounts;

    public AccountApi(Auth auth, Accounts accounts) {
        this.auth = auth;
        this.accounts = accounts;
    }

    @Override
    public void addTo(Router router) {
        router.add("POST", "/api/login", Access.ANYONE, this::login);
        router.add("POST", "/api/logout", Access.ANYONE, this::logout);
        router.add("PUT", "/api/account/password", Access.OWNER, this::password);
        router.add("GET", "/api/auth/status", Access.ANYONE, this::status);
    }

    private void login(Call call) throws IOException {
        Exchange exchange = call.exchange();
        auth.checkOrigin(exchange);
        ObjectNode body = Json.body(exchange);
        String name = Json.required(body, "username");
        String token = accounts.login(name, Json.required(body, "password"), exchange.ip());
        exchange.reply(Json.data(200, Json.object().put("username", name).put("message", "Login successful"))
                .with("set-cookie", Auth.cookie(token, false)));
    }

    private void logout(Call call) {
        auth.checkOrigin(call.exchange());
        String token = auth.token(call.exchange());
        if (token != null) {
            accounts.logout(token);
        }
        call.exchange()
                .reply(Json.data(200, Json.object().put("message", "Logged out"))
                        .with("set-cookie", Auth.cookie(null, false)));
    }

    /** Whoever may read the run file owns the machine, and needs no old password to set a new one. */
    private void password(Call call) throws IOException {
        Exchange exchange = call.exchange();
        ObjectNode body = Json.body(exchange);
        String next = Json.required(body, "password");
        if (auth.local(exchange)) {
            accounts.setPassword(Accounts.OWNER, next);
        } else {
            accounts.changePassword(Accounts.OWNER, Json.required(body, "current"), next, exchange.ip());
        }
        exchange.reply(Json.data(200, Json.object().put("message", "The password is changed; every session has ended"))
                .with("set-cookie", Auth.cookie(null, false)));
    }

    private void status(Call call) {
        ObjectNode status = Json.object();
        if (auth.local(call.exchange())) {
            status.put("authenticated", true).put("username", Accounts.OWNER);
        } else {
            auth.session(call.exchange())
                    .ifPresentOrElse(
                            name -> status.put("authenticated", true).put("username", name),
                            () -> status.put("authenticated", false));
        }
        call.exchange().reply(Json.data(200, status));
    }
}
