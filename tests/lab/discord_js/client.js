// A bot in discord.js' own idiom. Usage: node client.js REST_ROOT TOKEN APPLICATION_ID. Says one JSON line per thing that happened.
"use strict";
const discord = require("discord.js");

const [api, token, application] = process.argv.slice(2);
const say = (what, facts = {}) => console.log(JSON.stringify({ what, ...facts }));
const client = new discord.Client({ intents: [discord.GatewayIntentBits.Guilds], rest: { api } });

const commands = [
  new discord.SlashCommandBuilder()
    .setName("video")
    .setDescription("Make a clip")
    .setIntegrationTypes(0, 1)
    .setContexts(0, 1, 2)
    .setDefaultMemberPermissions(discord.PermissionFlagsBits.SendMessages)
    .addStringOption((option) => option.setName("prompt").setDescription("What").setRequired(true))
    .addAttachmentOption((option) => option.setName("image").setDescription("A picture"))
    .addStringOption((option) => option.setName("model").setDescription("Which").setAutocomplete(true)),
  new discord.ContextMenuCommandBuilder().setName("Animate this").setType(discord.ApplicationCommandType.Message),
].map((command) => command.toJSON());

async function video(interaction) {
  await interaction.deferReply();
  const image = interaction.options.getAttachment("image");
  const size = image ? (await (await fetch(image.url)).arrayBuffer()).byteLength : 0;
  await interaction.editReply(`10 % ${size}`);
  await interaction.editReply("90 %");
  const clip = new discord.AttachmentBuilder(Buffer.from("a clip"), { name: "clip.mp4" });
  const gallery = new discord.MediaGalleryBuilder().addItems((item) => item.setURL("attachment://clip.mp4"));
  const again = new discord.ButtonBuilder().setCustomId("again").setLabel("Again").setStyle(discord.ButtonStyle.Primary);
  const card = new discord.ContainerBuilder()
    .addTextDisplayComponents((text) => text.setContent(interaction.options.getString("prompt")))
    .addMediaGalleryComponents(gallery)
    .addActionRowComponents((row) => row.addComponents(again));
  await interaction.editReply({
    content: null,
    components: [card],
    files: [clip],
    flags: discord.MessageFlags.IsComponentsV2,
  });
  const second = await interaction.followUp({ content: "a second message", flags: discord.MessageFlags.Ephemeral });
  say("done", { id: second.id });
}

async function remix(interaction) {
  const input = new discord.TextInputBuilder().setCustomId("prompt").setStyle(discord.TextInputStyle.Paragraph);
  const label = new discord.LabelBuilder().setLabel("Prompt").setTextInputComponent(input);
  await interaction.showModal(new discord.ModalBuilder().setCustomId("remix").setTitle("Remix").addLabelComponents(label));
}

client.on("interactionCreate", async (interaction) => {
  try {
    if (interaction.isChatInputCommand()) await video(interaction);
    else if (interaction.isAutocomplete())
      await interaction.respond([{ name: `${interaction.options.getFocused()}-${interaction.locale}`, value: "x" }]);
    else if (interaction.isMessageContextMenuCommand())
      await interaction.reply(interaction.targetMessage.attachments.first().name);
    else if (interaction.isButton()) await remix(interaction);
    else if (interaction.isModalSubmit())
      await interaction.reply({ content: interaction.fields.getTextInputValue("prompt"), flags: discord.MessageFlags.Ephemeral });
  } catch (error) {
    say("error", { text: String(error), code: error.code });
  }
});
client.on("shardResume", () => say("resumed"));
client.on("shardError", (error) => say("error", { text: String(error) }));
client.once("clientReady", async () => {
  await client.rest.put(discord.Routes.applicationCommands(application), { body: commands });
  say("ready", { guilds: client.guilds.cache.map((guild) => guild.name) });
});
process.stdin.on("end", () => client.destroy().then(() => process.exit(0))).resume();
client.login(token).catch((error) => {
  say("refused", { code: error.code });
  process.exit(3);
});
