package sh.fazt.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.node.config.Settings.Key;

class SettingsIT {
    @TempDir
    Path folder;

    private SqliteCartridge cartridge;

    @BeforeEach
    void open() {
        cartridge =
                SqliteCartridge.open(folder.resolve("data.db"), CartridgeOptions.standard(), List.of(Settings.SCHEMA));
    }

    @AfterEach
    void close() {
        cartridge.close();
    }

    private Settings.Entry domain(Map<String, String> flags, Map<String, String> environment) {
        return new Settings(cartridge, flags, environment)
                .list().stream()
                        .filter(entry -> entry.key().equals("domain"))
                        .findFirst()
                        .orElseThrow();
    }

    @Test
    void letsTheNearerOneWin() {
        assertThat(domain(Map.of(), Map.of()).value()).isEqualTo("localhost");
        assertThat(domain(Map.of(), Map.of()).source()).isEqualTo("default");

        new Settings(cartridge, Map.of(), Map.of()).set("domain", "kept.example");
        assertThat(domain(Map.of(), Map.of()).value()).isEqualTo("kept.example");
        assertThat(domain(Map.of(), Map.of("FAZT_DOMAIN", "")).source()).isEqualTo("cartridge");

        Map<String, String> environment = Map.of("FAZT_DOMAIN", "variable.example");
        assertThat(domain(Map.of(), environment).value()).isEqualTo("variable.example");
        assertThat(domain(Map.of(), environment).source()).isEqualTo("environment");

        assertThat(domain(Map.of("domain", "flag.example"), environment).value())
                .isEqualTo("flag.example");
        assertThat(domain(Map.of("domain", "flag.example"), environment).source())
                .isEqualTo("flag");
    }

    @Test
    void namesTheNearestKey() {
        Settings settings = new Settings(cartridge, Map.of(), Map.of());

        assertThatThrownBy(() -> settings.set("prot", "1")).hasMessageContaining("did you mean \"port\"");
        assertThatThrownBy(() -> settings.set("swarmport", "1")).hasMessageContaining("\"swarm-port\"");
        assertThatThrownBy(() -> settings.set("the-domain", "x")).hasMessageContaining("\"domain\"");
    }

    @Test
    void saysWhereAMistakeIs() {
        assertThatThrownBy(() -> new Settings(cartridge, Map.of("port", "http"), Map.of()))
                .hasMessage("--port: port is a number from 0 to 65535, not \"http\"");
        assertThatThrownBy(() -> new Settings(cartridge, Map.of(), Map.of("FAZT_SWARM_PORT", "-1")))
                .hasMessageContaining("FAZT_SWARM_PORT: ");
        assertThatThrownBy(() -> new Settings(cartridge, Map.of("domain", "http://x"), Map.of()))
                .hasMessageContaining("--domain: ");
        Settings settings = new Settings(cartridge, Map.of(), Map.of());
        assertThatThrownBy(() -> settings.set("function-seconds", "0")).hasMessageContaining("1 to 60");
        assertThat(settings.number(Key.FUNCTION_SECONDS)).isEqualTo(5);
    }
}
