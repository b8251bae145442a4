// Speaks over HTTP: the routes of LightTTS and the routes of OpenAI's speech API.
using LightTts.Samples.Server;
using LightTts.Samples.Server.Hosting;

if (Help.IsAskedFor(args))
{
    Console.WriteLine(Help.Text);
    return 0;
}
try
{
    await using var app = ServerApp.Create(args);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (StartFault.IsKnown(e))
{
    Console.Error.WriteLine(StartFault.Explain(e));
    return 1;
}
