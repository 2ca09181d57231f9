// A bot in grammY's own idiom. Usage: node client.js API_ROOT TOKEN. Says one JSON line per thing that happened.
"use strict";
const { Bot, GrammyError, HttpError, InlineKeyboard, InputFile, InputMediaBuilder, InlineQueryResultBuilder } = require("grammy");

const [api, token] = process.argv.slice(2);
const say = (what, facts = {}) => console.log(JSON.stringify({ what, ...facts }));
const bot = new Bot(token, { client: { apiRoot: api } });
const MP4 = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypmp42"), Buffer.alloc(5000)]);

async function sent(work) {
  try {
    await work();
    return "sent";
  } catch (error) {
    if (error instanceof GrammyError) return { code: error.error_code, text: error.description, more: error.parameters };
    return { http: error instanceof HttpError };
  }
}

bot.command("start", (ctx) => ctx.reply(`hello ${ctx.match}`, { reply_markup: { force_reply: true } }));
bot.on("message:photo", async (ctx) => {
  const file = await ctx.getFile();
  const size = (await (await fetch(`${api}/file/bot${token}/${file.file_path}`)).arrayBuffer()).byteLength;
  const keyboard = new InlineKeyboard().text("Cancel", "cancel").copyText("Copy", ctx.msg.caption);
  const card = await ctx.reply(`<b>0 %</b> of ${size}`, {
    parse_mode: "HTML",
    reply_markup: keyboard,
    reply_parameters: { message_id: ctx.msg.message_id, allow_sending_without_reply: true },
  });
  await ctx.api.editMessageText(card.chat.id, card.message_id, "50 %", { reply_markup: keyboard });
  await ctx.replyWithChatAction("upload_video");
  const film = InputMediaBuilder.video(new InputFile(MP4, "clip.mp4"), {
    caption: ctx.msg.caption,
    width: 64,
    height: 36,
    duration: 4,
    supports_streaming: true,
    cover: new InputFile(Buffer.from(process.env.COVER, "base64"), "cover.jpg"),
  });
  const again = new InlineKeyboard().text("Again", "again");
  const done = await ctx.api.editMessageMedia(card.chat.id, card.message_id, film, { reply_markup: again });
  await ctx.react("🎉");
  say("done", { id: done.message_id, covers: done.video.cover.length, file: done.video.file_id });
});
bot.callbackQuery("again", async (ctx) => {
  await ctx.answerCallbackQuery({ text: "once more" });
  say("pressed", { by: ctx.from.first_name });
});
bot.on("inline_query", (ctx) => {
  const result = InlineQueryResultBuilder.videoCached("1", "Sea", ctx.inlineQuery.query);
  return ctx.answerInlineQuery([result], { is_personal: true });
});
bot.on("chosen_inline_result", (ctx) => say("chosen", { id: ctx.chosenInlineResult.result_id }));
bot.on("my_chat_member", (ctx) => say("member", { status: ctx.myChatMember.new_chat_member.status }));
bot.on("edited_message:text", (ctx) => say("edited", { text: ctx.msg.text }));
bot.on("message:migrate_to_chat_id", async (ctx) => {
  say("old", await sent(() => ctx.reply("still here")));
  const words = ["<b>open", "x".repeat(4097), ""];
  for (const text of words)
    say("refused", await sent(() => bot.api.sendMessage(ctx.msg.migrate_to_chat_id, text, { parse_mode: "HTML" })));
});
bot.catch((failed) => say("error", { text: String(failed.error) }));
process.stdin.on("end", () => bot.stop().then(() => process.exit(0))).resume();
bot
  .start({
    timeout: 5,
    allowed_updates: ["message", "edited_message", "callback_query", "inline_query", "chosen_inline_result", "my_chat_member"],
    onStart: (me) => say("ready", { name: me.username }),
  })
  .catch((error) => {
    say("refused", { code: error.error_code });
    process.exit(3);
  });
