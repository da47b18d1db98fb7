/* ctl/wire/table, field and reply: each struct goes out and comes back by its
 * table, and the tables say nothing that is not so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/field.h"
#include "ctl/wire/reply.h"
#include "ctl/wire/table.h"
#include "tests/unit/wire_requests.h"

/* --- any struct, filled with values of its own by its table ------------- */

enum { POOL_MAX = 4096 };

struct filler {
    int next;
    void *pool[POOL_MAX];
    size_t used;
};

static void *
take(struct filler *filler, size_t size)
{
    void *memory = calloc(1, size);
    assert_non_null(memory);
    assert_true(filler->used < POOL_MAX);
    filler->pool[filler->used++] = memory;
    return memory;
}

static const char *
fresh_string(struct filler *filler)
{
    char *text = take(filler, 32);
    (void)snprintf(text, 32, "s%d \"\\\n\xc3\xa9", filler->next++);
    return text;
}

static void fill(struct filler *filler, const struct wire_fields *fields,
                 char *base);

static void
fill_list(struct filler *filler, const struct wire_field *field, char *base)
{
    size_t count = 2;
    memcpy(base + field->count_offset, &count, sizeof count);
    if (field->type == WIRE_STRINGS) {
        const char **strings = take(filler, count * sizeof *strings);
        strings[0] = fresh_string(filler);
        strings[1] = fresh_string(filler);
        memcpy(base + field->offset, &strings, sizeof strings);
    } else {
        char *objects = take(filler, count * field->sub->size);
        fill(filler, field->sub, objects);
        fill(filler, field->sub, objects + field->sub->size);
        memcpy(base + field->offset, &objects, sizeof objects);
    }
}

static void
fill_field(struct filler *filler, const struct wire_field *field, char *base)
{
    char *at = base + field->offset;
    int number = filler->next++;
    int64_t wide = INT64_C(4294967296) * number + 7;
    double real = number + 0.25;
    unsigned flags = 5;
    bool yes = true;
    const char *string;
    switch (field->type) {
    case WIRE_STRING:
    case WIRE_PATH:
    case WIRE_CHOICE:
        string =
            field->choices != NULL ? field->choices[0] : fresh_string(filler);
        memcpy(at, &string, sizeof string);
        break;
    case WIRE_BOOL:
        memcpy(at, &yes, sizeof yes);
        break;
    case WIRE_INT:
        memcpy(at, &number, sizeof number);
        break;
    case WIRE_INDEX:
        number = 1;
        memcpy(at, &number, sizeof number);
        break;
    case WIRE_I64:
    case WIRE_U64:
    case WIRE_HEX:
        memcpy(at, &wide, sizeof wide);
        break;
    case WIRE_NUMBER:
        memcpy(at, &real, sizeof real);
        break;
    case WIRE_FLAGS:
        memcpy(at, &flags, sizeof flags);
        break;
    case WIRE_STRINGS:
    case WIRE_OBJECTS:
        fill_list(filler, field, base);
        break;
    case WIRE_OBJECT:
        fill(filler, field->sub, at);
        break;
    case WIRE_LIMITS:
        break;
    }
}

static void
fill(struct filler *filler, const struct wire_fields *fields, char *base)
{
    for (size_t i = 0; i < fields->count; i++) {
        fill_field(filler, &fields->rows[i], base);
    }
}

static void
drain(struct filler *filler)
{
    while (filler->used > 0) {
        free(filler->pool[--filler->used]);
    }
}

/* What was read is written again, and nothing is lost or changed. */
static void
round_trip(enum wire_command_id id, const union wire_reply *reply, bool full)
{
    struct wire_request *request = request_for(id);
    struct wire_line first, second;
    struct wire_doc *doc = NULL;
    union wire_reply read;
    assert_int_equal(wire_reply_write(request, reply, &first), 0);
    assert_int_equal(wire_doc_read(first.data, first.length - 1, &doc), 0);
    assert_int_equal(wire_doc_kind(doc), WIRE_IS_RESULT);
    assert_int_equal(wire_doc_id(doc), 1);
    assert_int_equal(wire_reply_read(doc, id, &read), 0);
    assert_int_equal(wire_reply_write(request, &read, &second), 0);
    assert_string_equal(first.data, second.data);
    for (size_t i = 0; i < request->command->reply->count; i++) {
        char key[64];
        (void)snprintf(key, sizeof key,
                       "\"%s\":", request->command->reply->rows[i].name);
        bool optional =
            (request->command->reply->rows[i].flags & WIRE_OPTIONAL) != 0;
        assert_true((strstr(first.data, key) != NULL) == (full || !optional));
    }
    wire_line_free(&first);
    wire_line_free(&second);
    wire_doc_free(doc);
    wire_request_free(request);
}

static void
test_every_reply(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *command =
            wire_command((enum wire_command_id)i);
        static struct filler filler;
        union wire_reply reply;
        if ((command->flags & WIRE_LOCAL) != 0) {
            continue;
        }
        assert_true(command->reply->size <= sizeof reply);
        assert_true(command->params->size <= sizeof(union wire_params));
        memset(&reply, 0, sizeof reply);
        filler.next = 1;
        fill(&filler, command->reply, (char *)&reply);
        round_trip(command->id, &reply, true);
        drain(&filler);
        /* Empty as well: nulls, zeros and empty lists. */
        memset(&reply, 0, sizeof reply);
        round_trip(command->id, &reply, false);
    }
}

static void
test_every_event(void **state)
{
    (void)state;
    for (int i = 0; i < WIRE_EVENTS; i++) {
        static struct filler filler;
        struct wire_event event, read;
        struct wire_line first, second;
        struct wire_doc *doc = NULL;
        memset(&event, 0, sizeof event);
        fill(&filler, &wire_event_fields, (char *)&event);
        event.event = i;
        assert_int_equal(wire_event_write(&event, &first), 0);
        assert_non_null(
            strstr(first.data, wire_event_string((enum wire_event_kind)i)));
        assert_int_equal(wire_doc_read(first.data, first.length - 1, &doc), 0);
        assert_int_equal(wire_event_read(doc, &read), 0);
        assert_int_equal(wire_event_write(&read, &second), 0);
        assert_string_equal(first.data, second.data);
        wire_line_free(&first);
        wire_line_free(&second);
        wire_doc_free(doc);
        drain(&filler);
    }
}

static void
test_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        int fewest = 0;
        bool many = false;
        assert_int_equal(row->id, i);
        for (size_t j = 0; j < row->params->count; j++) {
            const struct wire_field *field = &row->params->rows[j];
            assert_non_null(field->help);
            if ((field->flags & WIRE_POSITIONAL) != 0) {
                assert_non_null(strstr(row->arguments, field->metavar));
                fewest += (field->flags & WIRE_REQUIRED) != 0;
                many = many || field->type == WIRE_STRINGS ||
                       field->type == WIRE_FLAGS;
            } else {
                assert_true(field->type == WIRE_BOOL ||
                            field->metavar != NULL);
            }
        }
        assert_int_equal(row->fewest, fewest);
        assert_int_equal(row->most == WIRE_MANY, many);
        assert_int_equal(strstr(row->arguments, "...") != NULL, many);
        /* One place to run, never two. */
        assert_true(((row->flags & WIRE_LOOP) != 0) +
                        ((row->flags & WIRE_PYTHON) != 0) +
                        ((row->flags & WIRE_LOCAL) != 0) ==
                    1);
        if (row->method[0] != '\0') {
            assert_ptr_equal(wire_command_by_method(row->method), row);
        }
    }
    assert_null(wire_command_by_method(""));
    assert_null(wire_command_by_method("help"));
    assert_string_equal(wire_command_suggest("lode"), "load");
    assert_string_equal(wire_command_suggest_words("event"), "events");
    assert_null(wire_command_suggest("something else"));
    assert_null(wire_command_suggest(""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_reply),
        cmocka_unit_test(test_every_event),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
