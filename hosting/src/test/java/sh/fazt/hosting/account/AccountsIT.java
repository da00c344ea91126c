package sh.fazt.hosting.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

class AccountsIT {
    @TempDir
    Path folder;

    private final AtomicLong now = new AtomicLong(1_700_000_000_000L);
    private final InstantSource clock = () -> Instant.ofEpochMilli(now.get());
    private SqliteCartridge fileOfA;
    private SqliteCartridge fileOfB;
    private Accounts a;
    private Accounts b;

    @BeforeEach
    void open() {
        fileOfA = open("a", 1);
        fileOfB = open("b", 2);
        a = new Accounts(fileOfA, clock, new SecureRandom(), 1000);
        b = new Accounts(fileOfB, clock, new SecureRandom(), 1000);
    }

    private SqliteCartridge open(String name, int number) {
        SqliteCartridge cartridge = SqliteCartridge.open(
                folder.resolve(name + ".db"), CartridgeOptions.standard().withWall(clock), List.of(Accounts.SCHEMA));
        byte[] id = new byte[32];
        id[0] = (byte) number;
        cartridge.bind(NodeId.of(id));
        return cartridge;
    }

    @AfterEach
    void close() {
        fileOfA.close();
        fileOfB.close();
    }

    private static void pull(SqliteCartridge to, SqliteCartridge from) throws Exception {
        VersionVector since = to.replica().vector(Scope.SYSTEM);
        try (var spool = from.replica().open(Scope.SYSTEM, since)) {
            List<byte[]> parts = new ArrayList<>();
            for (int i = 0; i < spool.parts(); i++) {
                parts.add(spool.part(i));
            }
            to.replica()
                    .apply(Scope.SYSTEM, since, spool.vector(), parts)
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void theOwnerLogsInAndOut() {
        assertThat(a.hasOwner()).isFalse();
        String password = a.createOwner();
        assertThat(a.hasOwner()).isTrue();
        assertThat(password).matches("([a-z2-9]{5}-){3}[a-z2-9]{5}");
        String token = a.login("owner", password, "1.2.3.4");
        assertThat(a.session(token)).hasValue("owner");
        assertThat(a.session(token + "x")).isEmpty();
        assertThat(a.session("")).isEmpty();
        a.logout(token);
        assertThat(a.session(token)).isEmpty();
        String second = a.login("owner", password, "1.2.3.4");
        now.addAndGet(-3_600_000);
        assertThat(a.session(second)).as("it was opened in the future").isEmpty();
        now.addAndGet(3_600_000 + Accounts.SESSION.toMillis());
        assertThat(a.session(second)).as("it has expired").isEmpty();
    }

    @Test
    void guessingIsSlowedDown() {
        String password = a.createOwner();
        assertThatThrownBy(() -> a.login("nobody", password, "6.6.6.6")).hasMessage("Invalid username or password");
        for (int i = 0; i < 4; i++) {
            assertThatThrownBy(() -> a.login("owner", "wrong", "6.6.6.6")).hasMessage("Invalid username or password");
        }
        assertThatThrownBy(() -> a.login("owner", password, "6.6.6.6")).hasMessageContaining("try again in");
        assertThat(a.login("owner", password, "1.2.3.4")).isNotEmpty();
        now.addAndGet(16 * 60_000);
        assertThat(a.login("owner", password, "6.6.6.6")).isNotEmpty();
    }

    @Test
    void aNewPasswordEndsEverySessionOnEveryNode() throws Exception {
        String password = a.createOwner();
        pull(fileOfB, fileOfA);
        String onA = a.login("owner", password, "1.2.3.4");
        String onB = b.login("owner", password, "1.2.3.4");
        assertThatThrownBy(() -> a.changePassword("owner", "wrong", "a better one", "1.2.3.4"))
                .hasMessage("Invalid username or password");
        assertThatThrownBy(() -> a.changePassword("owner", password, "short", "1.2.3.4"))
                .hasMessageContaining("8 to 256");
        assertThat(a.session(onA)).hasValue("owner");
        a.changePassword("owner", password, "a better one", "1.2.3.4");
        pull(fileOfB, fileOfA);
        assertThat(a.session(onA)).isEmpty();
        assertThat(b.session(onB)).isEmpty();
        assertThatThrownBy(() -> b.login("owner", password, "1.2.3.4")).hasMessage("Invalid username or password");
        assertThat(b.session(b.login("owner", "a better one", "1.2.3.4"))).hasValue("owner");
    }
}
