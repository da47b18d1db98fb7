/* Which reply is rendered by what. */
#include <time.h>

#include "ctl/render.h"

static uint64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int
render_reply(FILE *stream, enum wire_command_id id,
             const union wire_params *params, const union wire_reply *reply)
{
    switch (id) {
    case WIRE_PING:
        render_ping(stream, &reply->ping);
        return 0;
    case WIRE_VERSION:
        render_version(stream, &reply->version);
        return 0;
    case WIRE_COMMANDS:
        return render_commands(stream, &reply->commands);
    case WIRE_STATS:
        render_stats(stream, &reply->stats);
        return 0;
    case WIRE_LIST:
        return render_list(stream, &reply->list);
    case WIRE_SHOW:
        render_show(stream, &reply->show, now_ns());
        return 0;
    case WIRE_WHY:
        render_why(stream, &reply->why);
        return 0;
    case WIRE_UNUSED:
        return render_unused(stream, &reply->unused);
    case WIRE_REPORT:
        return render_report(stream, &reply->report);
    case WIRE_LOAD:
        (reply->load.dry_run ? render_rehearsal : render_load)(stream,
                                                               &reply->load);
        return 0;
    case WIRE_THREADS:
        render_threads(stream, &reply->threads);
        return 0;
    case WIRE_VERIFY:
        return render_verify(stream, &reply->verify);
    case WIRE_RELOAD:
    case WIRE_ROLLBACK:
        render_reload(stream, &reply->reload);
        return 0;
    case WIRE_CONFIRM:
        return render_confirm(stream, &reply->confirm);
    case WIRE_DRIFT:
        return render_drift(stream, &reply->drift);
    case WIRE_IGNORE_LIST:
        return render_ignore_list(stream, &reply->ignore_list);
    case WIRE_IGNORE_ADD:
        render_ignore_edit(stream, &reply->ignore_edit, true,
                           params->ignore_add.load);
        return 0;
    case WIRE_IGNORE_REMOVE:
        render_ignore_edit(stream, &reply->ignore_edit, false, false);
        return 0;
    case WIRE_IGNORE_SAVE:
        render_ignore_save(stream, &reply->ignore_save);
        return 0;
    case WIRE_LEVEL_LIST:
        return render_level_list(stream, &reply->level_list);
    case WIRE_LEVEL_SET:
        render_level_set(stream, &reply->level_set);
        return 0;
    case WIRE_TRACE:
    case WIRE_SUBSCRIBE:
    case WIRE_STOP:
    case WIRE_WARM:
    case WIRE_RECORD:
    case WIRE_HELP:
    case WIRE_COMMANDS_COUNT:
        break;
    }
    return 0;
}
