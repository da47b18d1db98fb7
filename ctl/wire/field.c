/* See field.h. Writing, presets and schemas; reading is in field_read.c. */
#include "ctl/wire/field.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ctl/wire/limit.h"
#include "ctl/wire/message.h"
#include "ctl/wire/out.h"

/* A member of a struct that is known by its table only. */
#define FETCH(type, base, offset)                                             \
    (*(type const *)(const void *)((const char *)(base) + (offset)))

void
wire_fields_preset(const struct wire_fields *fields, void *base)
{
    memset(base, 0, fields->size);
    for (size_t i = 0; i < fields->count; i++) {
        const struct wire_field *field = &fields->rows[i];
        char *at = (char *)base + field->offset;
        if (field->type == WIRE_NUMBER) {
            memcpy(at, &field->preset, sizeof field->preset);
        } else if (field->type == WIRE_FLAGS) {
            unsigned flags = (unsigned)field->preset;
            memcpy(at, &flags, sizeof flags);
        } else if (field->type == WIRE_I64) {
            int64_t number = (int64_t)field->preset;
            memcpy(at, &number, sizeof number);
        }
    }
}

int
wire_field_choice(const struct wire_field *field, const char *word)
{
    for (int i = 0; field->choices[i] != NULL; i++) {
        if (strcmp(field->choices[i], word) == 0 ||
            (field->aliases != NULL && strcmp(field->aliases[i], word) == 0)) {
            return i;
        }
    }
    return -1;
}

void
wire_field_choices_text(const struct wire_field *field, char *text,
                        size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; field->choices[i] != NULL && used < size; i++) {
        const char *between = i == 0                          ? ""
                              : field->choices[i + 1] == NULL ? " or "
                                                              : ", ";
        int wrote = snprintf(text + used, size - used, "%s%s", between,
                             field->choices[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* Whether an optional field stands at what a reader would put there. */
static bool
at_preset(const struct wire_field *field, const void *base)
{
    switch (field->type) {
    case WIRE_STRING:
    case WIRE_PATH:
    case WIRE_CHOICE:
        return FETCH(char *, base, field->offset) == NULL;
    case WIRE_BOOL:
        return !FETCH(bool, base, field->offset);
    case WIRE_INT:
    case WIRE_INDEX:
        return FETCH(int, base, field->offset) == 0;
    case WIRE_I64:
        return FETCH(int64_t, base, field->offset) == (int64_t)field->preset;
    case WIRE_U64:
    case WIRE_HEX:
        return FETCH(uint64_t, base, field->offset) == 0;
    case WIRE_NUMBER:
        return !(FETCH(double, base, field->offset) < field->preset) &&
               !(FETCH(double, base, field->offset) > field->preset);
    case WIRE_FLAGS:
        return FETCH(unsigned, base, field->offset) == (unsigned)field->preset;
    case WIRE_STRINGS:
    case WIRE_OBJECTS:
        return FETCH(size_t, base, field->count_offset) == 0;
    case WIRE_OBJECT: /* its first member is the string that says so */
        return FETCH(char *, (const char *)base + field->offset,
                     field->sub->rows[0].offset) == NULL;
    case WIRE_LIMITS:
        break;
    }
    return false;
}

static void
write_object(const struct wire_fields *fields, const void *base,
             struct wire_out *out)
{
    wire_out_open(out, '{');
    wire_fields_write(fields, base, out);
    wire_out_close(out, '}');
}

static bool
has_source(const struct wire_field *field, const void *base)
{
    return field->source != 0 &&
           FETCH(struct wire_source, base, field->source - 1).next != NULL;
}

/* Not to the end where it is too long already. */
static void
write_source(const struct wire_field *field, const void *base,
             struct wire_out *out)
{
    struct wire_source source =
        FETCH(struct wire_source, base, field->source - 1);
    const void *item;
    while (out->status == 0 && (item = source.next(source.arg)) != NULL) {
        write_object(field->sub, item, out);
    }
}

static void
write_list(const struct wire_field *field, const void *base,
           struct wire_out *out)
{
    const char *at = (const char *)base + field->offset;
    wire_out_open(out, '[');
    if (field->type == WIRE_FLAGS) {
        unsigned flags = FETCH(unsigned, at, 0);
        for (unsigned i = 0; field->choices[i] != NULL; i++) {
            if ((flags & 1u << i) != 0) {
                wire_out_string(out, field->choices[i]);
            }
        }
    } else if (has_source(field, base)) {
        write_source(field, base, out);
    } else {
        size_t count = FETCH(size_t, base, field->count_offset);
        for (size_t i = 0; i < count; i++) {
            if (field->type == WIRE_STRINGS) {
                wire_out_string(out, FETCH(char **, at, 0)[i]);
            } else {
                write_object(field->sub,
                             FETCH(char *, at, 0) + i * field->sub->size, out);
            }
        }
    }
    wire_out_close(out, ']');
}

static void
write_limits(struct wire_out *out)
{
    size_t count;
    const struct wire_limit *limits = wire_limits(&count);
    wire_out_open(out, '{');
    for (size_t i = 0; i < count; i++) {
        wire_out_key(out, limits[i].key);
        wire_out_i64(out, limits[i].value);
    }
    wire_out_close(out, '}');
}

static void
write_i64(const struct wire_field *field, int64_t number, struct wire_out *out)
{
    if (number < 0 && (field->flags & WIRE_NULLABLE) != 0) {
        wire_out_raw(out, "null");
    } else {
        wire_out_i64(out, number);
    }
}

static void
write_value(const struct wire_field *field, const void *base,
            struct wire_out *out)
{
    const char *at = (const char *)base + field->offset;
    char hex[17];

    switch (field->type) {
    case WIRE_STRING:
    case WIRE_PATH:
    case WIRE_CHOICE:
        wire_out_string(out, FETCH(char *, at, 0));
        break;
    case WIRE_BOOL:
        wire_out_bool(out, FETCH(bool, at, 0));
        break;
    case WIRE_INT:
        wire_out_i64(out, FETCH(int, at, 0));
        break;
    case WIRE_INDEX:
        wire_out_string(out, field->choices[FETCH(int, at, 0)]);
        break;
    case WIRE_I64:
        write_i64(field, FETCH(int64_t, at, 0), out);
        break;
    case WIRE_U64:
        wire_out_u64(out, FETCH(uint64_t, at, 0));
        break;
    case WIRE_HEX:
        (void)snprintf(hex, sizeof hex, "%016" PRIx64, FETCH(uint64_t, at, 0));
        wire_out_string(out, hex);
        break;
    case WIRE_NUMBER:
        wire_out_double(out, FETCH(double, at, 0));
        break;
    case WIRE_STRINGS:
    case WIRE_FLAGS:
    case WIRE_OBJECTS:
        write_list(field, base, out);
        break;
    case WIRE_OBJECT:
        if ((field->flags & WIRE_NULLABLE) != 0 && at_preset(field, base)) {
            wire_out_raw(out, "null");
        } else {
            write_object(field->sub, at, out);
        }
        break;
    case WIRE_LIMITS:
        write_limits(out);
        break;
    }
}

void
wire_fields_write(const struct wire_fields *fields, const void *base,
                  struct wire_out *out)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct wire_field *field = &fields->rows[i];
        if ((field->flags & WIRE_CLIENT) != 0 ||
            ((field->flags & WIRE_OPTIONAL) != 0 && at_preset(field, base))) {
            continue;
        }
        wire_out_key(out, field->name);
        write_value(field, base, out);
    }
}

static void
schema_choices(const struct wire_field *field, struct wire_out *out)
{
    wire_out_key(out, "enum");
    wire_out_open(out, '[');
    for (int i = 0; field->choices[i] != NULL; i++) {
        wire_out_string(out, field->choices[i]);
    }
    for (int i = 0; field->aliases != NULL && field->choices[i] != NULL; i++) {
        if (strcmp(field->aliases[i], field->choices[i]) != 0) {
            wire_out_string(out, field->aliases[i]);
        }
    }
    wire_out_close(out, ']');
}

static void
schema_string(const struct wire_field *field, struct wire_out *out)
{
    wire_out_key(out, "type");
    wire_out_string(out, "string");
    if (field->choices != NULL) {
        schema_choices(field, out);
    } else {
        wire_out_key(out, "minLength");
        wire_out_i64(out, 1);
        wire_out_key(out, "maxLength");
        wire_out_i64(out, WIRE_LIMIT_VALUE);
    }
    if (field->type == WIRE_PATH) {
        wire_out_key(out, "pattern");
        wire_out_string(out, "^/");
    }
}

static void
schema_field(const struct wire_field *field, struct wire_out *out)
{
    wire_out_open(out, '{');
    if (field->type == WIRE_BOOL) {
        wire_out_key(out, "type");
        wire_out_string(out, "boolean");
    } else if (field->type == WIRE_NUMBER || field->type == WIRE_I64) {
        wire_out_key(out, "type");
        wire_out_string(out,
                        field->type == WIRE_NUMBER ? "number" : "integer");
        wire_out_key(out, "minimum");
        wire_out_double(out, field->min);
        wire_out_key(out, "maximum");
        wire_out_double(out, field->max);
    } else if (field->type == WIRE_STRINGS || field->type == WIRE_FLAGS) {
        wire_out_key(out, "type");
        wire_out_string(out, "array");
        wire_out_key(out, "minItems");
        wire_out_i64(out, field->type == WIRE_STRINGS ? 1 : 0);
        wire_out_key(out, "maxItems");
        wire_out_i64(out, WIRE_LIMIT_VALUES);
        wire_out_key(out, "items");
        wire_out_open(out, '{');
        schema_string(field, out);
        wire_out_close(out, '}');
    } else {
        schema_string(field, out);
    }
    wire_out_key(out, "description");
    wire_out_string(out, field->help);
    wire_out_close(out, '}');
}

void
wire_fields_schema(const struct wire_fields *fields, struct wire_out *out)
{
    wire_out_open(out, '{');
    wire_out_key(out, "type");
    wire_out_string(out, "object");
    wire_out_key(out, "properties");
    wire_out_open(out, '{');
    for (size_t i = 0; i < fields->count; i++) {
        if ((fields->rows[i].flags & WIRE_CLIENT) == 0) {
            wire_out_key(out, fields->rows[i].name);
            schema_field(&fields->rows[i], out);
        }
    }
    wire_out_close(out, '}');
    wire_out_key(out, "required");
    wire_out_open(out, '[');
    for (size_t i = 0; i < fields->count; i++) {
        if ((fields->rows[i].flags & WIRE_REQUIRED) != 0) {
            wire_out_string(out, fields->rows[i].name);
        }
    }
    wire_out_close(out, ']');
    wire_out_key(out, "additionalProperties");
    wire_out_bool(out, false);
    wire_out_close(out, '}');
}
