package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PlacementCommandsTest {
    @Test
    void membersAreNamedAsTheListOfThemPrintsThem() {
        assertThat(PlacementCommands.nodes("home, vps")).containsExactly("home", "vps");
        assertThat(PlacementCommands.nodes("home,my laptop")).containsExactly("home", "my laptop");
    }

    @Test
    void aListWithAGapIsRefused() {
        for (String list : new String[] {"home,", ",home", "home,,vps", " "}) {
            assertThatThrownBy(() -> PlacementCommands.nodes(list)).hasMessageContaining("NODE,NODE");
        }
    }
}
