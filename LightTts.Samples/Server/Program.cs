// Speaks over HTTP: the routes of LightTTS, the routes of OpenAI's speech API, and a page to try them.
using LightTts.Samples.Server;

await using var app = ServerApp.Create(args);
await app.RunAsync();
