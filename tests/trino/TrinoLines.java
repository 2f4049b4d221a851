import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.trino.Session;
import io.trino.plugin.memory.MemoryPlugin;
import io.trino.spi.connector.CatalogSchemaName;
import io.trino.spi.security.PrincipalType;
import io.trino.spi.security.TrinoPrincipal;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.TestingSession;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Trino in this process: a request in JSON on every line of the input, in order its answer on a line of the output. */
public final class TrinoLines {
    private static final String CATALOG = "memory";

    /** One statement in a schema, which is made where it is missing. */
    record Request(String schema, String sql) {}

    /** Names and types of the columns, and every value as Trino's text; or, in place of them, what went wrong. */
    record Answer(List<String> columns, List<String> types, List<List<String>> rows, String error) {}

    public static void main(String[] args) throws Exception {
        ObjectMapper json = JsonMapper.builder().findAndAddModules().build();
        PrintStream answers = new PrintStream(System.out, true, UTF_8);
        // A library that prints must not break the answers.
        System.setOut(System.err);
        // The session's time zone is far from UTC: SQL that depends on one gives other rows than in DuckDB.
        Session session = TestingSession.testSessionBuilder().setCatalog(CATALOG).build();
        try (LocalQueryRunner trino = LocalQueryRunner.create(session)) {
            trino.installPlugin(new MemoryPlugin());
            trino.createCatalog(CATALOG, "memory", Map.of());
            BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, UTF_8));
            for (String line; (line = requests.readLine()) != null; ) {
                answers.println(json.writeValueAsString(answer(trino, json.readValue(line, Request.class))));
            }
        }
    }

    private static Answer answer(LocalQueryRunner trino, Request request) {
        try {
            ensureSchema(trino, request.schema());
            Session session = Session.builder(trino.getDefaultSession()).setSchema(request.schema()).build();
            MaterializedResult result = trino.execute(session, request.sql());
            List<String> types = result.getTypes().stream().map(type -> type.getDisplayName()).toList();
            List<List<String>> rows = result.getMaterializedRows().stream()
                    .map(row -> row.getFields().stream().map(value -> Objects.toString(value, null)).toList())
                    .toList();
            return new Answer(result.getColumnNames(), types, rows, null);
        }
        catch (RuntimeException e) {
            return new Answer(null, null, null, String.valueOf(e.getMessage()));
        }
    }

    // The runner takes no CREATE SCHEMA: it runs only what has a plan.
    private static void ensureSchema(LocalQueryRunner trino, String schema) {
        CatalogSchemaName name = new CatalogSchemaName(CATALOG, schema);
        trino.inTransaction(session -> {
            if (!trino.getMetadata().schemaExists(session, name)) {
                TrinoPrincipal owner = new TrinoPrincipal(PrincipalType.USER, session.getUser());
                trino.getMetadata().createSchema(session, name, Map.of(), owner);
            }
            return null;
        });
    }
}
