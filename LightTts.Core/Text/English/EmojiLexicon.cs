using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Names of common emoji.</summary>
internal static class EmojiLexicon
{
    public static readonly FrozenDictionary<string, string> Names = Table.Pairs("""
        😀=grinning face|😃=smiling face|😄=smiling face|😁=beaming face|😆=laughing face|😅=nervous smile|🤣=rolling on the floor laughing
        😂=tears of joy
        🙂=smiling face|🙃=upside-down face|😉=winking face|😊=smiling face|😇=angel face
        🥰=smiling face with hearts|😍=heart eyes|🤩=star-struck|😘=blowing a kiss|😗=kissing face|😋=yummy face|😛=tongue out
        😜=winking face with tongue
        🤪=zany face|🤑=money face|🤗=hugging face|🤭=hand over mouth|🤫=shushing face|🤔=thinking face
        🤐=zipped mouth|🤨=raised eyebrow|😐=neutral face|😑=expressionless face|😶=speechless face|😏=smirking face|😒=unamused face|🙄=rolling eyes
        😬=grimacing face|😌=relieved face|😔=pensive face|😪=sleepy face|😴=sleeping face|😷=face with mask
        🤒=sick face|🤕=hurt face|🤢=nauseated face|🤮=vomiting face|🤧=sneezing face|🥵=hot face|🥶=cold face|😵=dizzy face|🤯=exploding head
        🤠=cowboy
        🥳=party face|😎=cool face|🤓=nerd face|😕=confused face|😟=worried face|🙁=frowning face|☹=frowning face
        😮=surprised face|😲=astonished face|😳=flushed face|🥺=pleading face|😦=frowning face|😨=fearful face|😰=anxious face|😢=crying face
        😭=loudly crying face|😱=screaming face|😖=confounded face|😞=disappointed face|😓=sweating face|😩=weary face
        😫=tired face|🥱=yawning face|😤=huffing face|😡=angry face|😠=angry face|🤬=swearing face|😈=smiling devil|👿=angry devil|💀=skull
        ☠=skull and crossbones|💩=pile of poo|🤡=clown|👻=ghost|👽=alien|🤖=robot|🎃=jack-o'-lantern|😺=smiling cat
        ❤=red heart|♥=heart|🧡=orange heart|💛=yellow heart|💚=green heart|💙=blue heart|💜=purple heart|🖤=black heart|🤍=white heart|💔=broken heart
        💕=two hearts|💖=sparkling heart|💗=growing heart|💘=heart with arrow|💯=one hundred|💥=collision|💦=sweat drops|💤=zzz
        👋=waving hand|✋=raised hand|👌=okay hand|✌=victory hand|🤞=crossed fingers|🤟=love-you gesture|🤘=horns|👈=pointing left|👉=pointing right
        👆=pointing up|👇=pointing down|☝=pointing up|👍=thumbs up|👎=thumbs down|✊=raised fist|👊=fist bump|👏=clapping hands
        🙌=raised hands|👐=open hands|🤝=handshake|🙏=folded hands|✍=writing hand|💪=flexed biceps|👀=eyes|👁=eye|👶=baby|👦=boy|👧=girl|👨=man
        👩=woman
        👴=old man|👵=old woman|🤷=shrug|🤦=facepalm|🏃=runner|💃=dancer|👑=crown|🎩=top hat
        🐶=dog|🐱=cat|🐭=mouse|🐰=rabbit|🦊=fox|🐻=bear|🐼=panda|🦁=lion|🐮=cow|🐷=pig|🐸=frog|🐵=monkey|🐔=chicken|🐧=penguin|🐦=bird|🦄=unicorn
        🐝=bee|🦋=butterfly
        🐢=turtle|🐍=snake|🐙=octopus|🐟=fish|🐬=dolphin|🐳=whale|🐘=elephant
        🌹=rose|🌸=cherry blossom|🌻=sunflower|🌲=tree|🌴=palm tree|🌵=cactus|🍀=four-leaf clover|🍎=apple|🍌=banana|🍓=strawberry|🍕=pizza|🍔=burger
        🍟=fries
        🌮=taco|🍣=sushi|🍰=cake|🎂=birthday cake|🍪=cookie|🍫=chocolate|☕=coffee|🍺=beer|🍻=beers|🍷=wine|🥂=clinking glasses
        ☀=sun|🌞=sun|🌙=moon|⭐=star|🌟=glowing star|✨=sparkles|⚡=lightning|🔥=fire|🌈=rainbow|☁=cloud|❄=snowflake|⛄=snowman|☔=umbrella|🌊=wave
        🌍=globe
        🌎=globe|🌏=globe|🚗=car|🚕=taxi|🚌=bus|🚲=bicycle|✈=airplane|🚀=rocket|⛵=sailboat|🚢=ship|🏠=house|🏆=trophy
        ⚽=soccer ball|🏀=basketball|🏈=football|⚾=baseball|🎾=tennis ball|🎮=video game|🎲=die|🎯=bullseye|🎵=musical note|🎶=musical notes
        🎤=microphone
        🎧=headphones|🎸=guitar|🎹=piano|🎬=clapper board|🎨=artist palette|🎉=party popper|🎊=confetti|🎁=gift|🎈=balloon|🎄=Christmas tree
        📱=phone|💻=laptop|⌚=watch|📷=camera|📺=television|💡=light bulb|📚=books|📖=open book|📝=memo|📧=e-mail|📅=calendar|📌=pin|📈=chart going up
        📉=chart going down|🔒=lock|🔑=key|🔔=bell|⏰=alarm clock|💰=money bag|💵=dollars|💎=gem|🛒=shopping cart|🔍=magnifying glass
        ✅=check mark|✔=check mark|☑=check mark|❌=cross mark|✖=cross mark|❓=question mark|❗=exclamation mark|⚠=warning|🚫=prohibited|♻=recycling
        ➡=right arrow|⬅=left arrow|⬆=up arrow|⬇=down arrow|🔴=red circle|🟢=green circle|🔵=blue circle|☎=telephone|✂=scissors|🏳=white flag
        🏁=checkered flag|🚩=red flag
        """);
}
