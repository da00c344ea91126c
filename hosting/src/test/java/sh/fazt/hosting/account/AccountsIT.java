package sh.fazt.hosting.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.Cartridges;

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
        fileOfA = Cartridges.open(folder.resolve("a.db"), 1, clock, Accounts.SCHEMA);
        fileOfB = Cartridges.open(folder.resolve("b.db"), 2, clock, Accounts.SCHEMA);
        a = new Accounts(fileOfA, clock, new SecureRandom(), 1000);
        b = new Accounts(fileOfB, clock, new SecureRandom(), 1000);
    }

    @AfterEach
    void close() {
        fileOfA.close();
        fileOfB.close();
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
        Cartridges.pull(Scope.SYSTEM, fileOfB, fileOfA);
        String onA = a.login("owner", password, "1.2.3.4");
        String onB = b.login("owner", password, "1.2.3.4");
        assertThatThrownBy(() -> a.changePassword("owner", "wrong", "a better one", "1.2.3.4"))
                .hasMessage("Invalid username or password");
        assertThatThrownBy(() -> a.changePassword("owner", password, "short", "1.2.3.4"))
                .hasMessageContaining("8 to 256");
        assertThat(a.session(onA)).hasValue("owner");
        a.changePassword("owner", password, "a better one", "1.2.3.4");
        Cartridges.pull(Scope.SYSTEM, fileOfB, fileOfA);
        assertThat(a.session(onA)).isEmpty();
        assertThat(b.session(onB)).isEmpty();
        assertThatThrownBy(() -> b.login("owner", password, "1.2.3.4")).hasMessage("Invalid username or password");
        assertThat(b.session(b.login("owner", "a better one", "1.2.3.4"))).hasValue("owner");
    }
}
